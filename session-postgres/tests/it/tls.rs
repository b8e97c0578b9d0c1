//! A server that shows a certificate of the tests' own authority.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use session_core::SessionStore;
use session_postgres::PostgresStore;

use crate::{
    chain, migrated, patient, patient_at,
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
    let server = Server::start_with(Some(&right.certify("localhost")));
    let (right, wrong) = (right.file(), wrong.file());
    let url = |host: &str| format!("postgres://{USER}:{PASSWORD}@{host}:{}/postgres", server.port());
    let at = |host: &str| patient_at(&url(host));
    let without_file = url("localhost") + "?sslmode=verify-full&sslrootcert=/nowhere/ca.pem";

    let store = migrated(at("localhost").ca_file(right.path())).await;
    session(&store).await;

    for (refused, why) in [
        (at("localhost").ca_file(wrong.path()), "UnknownIssuer"),
        (at("127.0.0.1").ca_file(right.path()), "not valid for name"),
        (patient_at(&without_file), "No such file"),
    ] {
        let error = PostgresStore::connect(refused.clone()).await.unwrap_err();
        let text = chain(&error);
        assert!(text.contains("can be trusted") && text.contains(why), "{text}");
        assert!(error.is_lasting());
        // Each attempt is as strict as the first.
        assert!(PostgresStore::new(refused).unwrap().ping().await.is_err());
    }
}

#[tokio::test]
async fn a_server_without_tls_is_refused_where_a_certificate_is_asked_for() {
    let authority = Authority::new("any").file();
    let options = patient(crate::server()).ca_file(authority.path());
    let text = chain(&PostgresStore::connect(options).await.unwrap_err());
    assert!(text.contains("does not support TLS"), "{text}");
}

#[tokio::test]
async fn any_certificate_will_do_if_the_app_says_so_but_one_there_must_be() {
    let server = Server::start_with(Some(&Authority::new("unknown").certify("elsewhere")));
    let url = |tls: &str| format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{}/postgres{tls}", server.port());
    for tls in ["", "?sslmode=verify-full"] {
        let options = patient_at(&url(tls)).accept_any_certificate();
        PostgresStore::connect(options).await.unwrap().ping().await.unwrap();
    }
    let without = patient(crate::server()).accept_any_certificate();
    let text = chain(&PostgresStore::connect(without).await.unwrap_err());
    assert!(text.contains("does not support TLS"), "{text}");
}
