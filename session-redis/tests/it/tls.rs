//! A server that shows a certificate of the tests' own authority.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use session_core::SessionStore;
use session_redis::RedisStore;

use crate::{
    chain, connected, load, patient_at,
    server::{PASSWORD, Server, Tls, USER},
    session,
};

pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap())
    }

    /// A certificate for a name.
    pub(crate) fn certify(&self, name: &str) -> Tls {
        let key = KeyPair::generate().unwrap();
        let parameters = CertificateParams::new([name.to_owned()]).unwrap();
        Tls {
            certificate: parameters.signed_by(&key, &self.0).unwrap().pem(),
            key: key.serialize_pem(),
        }
    }

    pub(crate) fn file(&self) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, self.0.pem()).unwrap();
        file
    }
}

#[tokio::test]
async fn only_a_certificate_of_the_right_authority_for_the_right_name_is_trusted() {
    let (right, wrong) = (Authority::new("right"), Authority::new("wrong"));
    let server = Server::start_with(Some(&right.certify("localhost")), &[]);
    let (right, wrong) = (right.file(), wrong.file());
    let at = |host: &str| patient_at(&format!("rediss://{USER}:{PASSWORD}@{host}:{}", server.port()));

    let store = connected(at("localhost").ca_file(right.path())).await;
    let id = session(&store).await;
    assert!(load(&store, &id).await.is_some());

    for (refused, why) in [
        (at("localhost"), "UnknownIssuer"),
        (at("localhost").ca_file(wrong.path()), "UnknownIssuer"),
        (at("127.0.0.1").ca_file(right.path()), "not valid for name"),
    ] {
        let error = RedisStore::connect(refused.clone()).await.unwrap_err();
        let text = chain(&error);
        assert!(text.contains("can be trusted") && text.contains(why), "{text}");
        assert!(error.is_lasting());
        // Each attempt is as strict as the first.
        assert!(RedisStore::new(refused).unwrap().ping().await.is_err());
    }
}

#[tokio::test]
async fn a_server_without_tls_is_refused_where_a_certificate_is_asked_for() {
    let options = patient_at(&crate::server().url().replacen("redis:", "rediss:", 1));
    // It waits for the rest of what looks to it like a command.
    let options = options.connect_timeout(std::time::Duration::from_millis(300));
    assert!(RedisStore::connect(options).await.is_err());
}

#[tokio::test]
async fn a_restarted_server_is_connected_to_by_tls_again() {
    let authority = Authority::new("any");
    let mut server = Server::start_with(Some(&authority.certify("localhost")), &[]);
    let url = format!("rediss://{USER}:{PASSWORD}@localhost:{}", server.port());
    let store = connected(patient_at(&url).ca_file(authority.file().path())).await;
    let id = session(&store).await;
    server.kill();
    server.restart();
    assert!(load(&store, &id).await.is_none());
    session(&store).await;
}
