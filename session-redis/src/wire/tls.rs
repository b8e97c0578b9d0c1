//! TLS: rustls with one cryptographic provider, named here, whatever else is compiled into the app.

use std::{io, path::Path, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use session_core::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::RedisOptions;

/// How servers are known to be the ones meant.
pub(crate) struct Tls(TlsConnector);

impl Tls {
    /// Reads the system's roots and the CA file.
    pub(crate) fn new(options: &RedisOptions) -> Result<Self, Error> {
        for address in options.topology.addresses() {
            ServerName::try_from(address.host.as_str()).map_err(Error::lasting)?;
        }
        let roots = roots(options.ca_file.as_deref())?;
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(Error::lasting)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }

    /// Speaks TLS to a server that has a certificate for its host, which may be one that another server has named.
    pub(crate) async fn connect<S>(&self, host: &str, stream: S) -> io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let name = ServerName::try_from(host.to_owned());
        let name = name.map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        self.0.connect(name, stream).await
    }
}

fn roots(ca_file: Option<&Path>) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    // A certificate of the system's that cannot be used is one less to trust.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = ca_file {
        add(&mut roots, path).map_err(|reason| {
            let path = path.display();
            Error::lasting(format!("the CA file {path} cannot be used: {reason}"))
        })?;
    }
    Ok(roots)
}

fn add(roots: &mut RootCertStore, path: &Path) -> Result<(), String> {
    let text = std::fs::read(path).map_err(|error| error.to_string())?;
    let mut found = false;
    for certificate in CertificateDer::pem_slice_iter(&text) {
        let certificate = certificate.map_err(|error| error.to_string())?;
        roots.add(certificate).map_err(|error| error.to_string())?;
        found = true;
    }
    if found {
        Ok(())
    } else {
        Err("it has no certificate in PEM".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ca_file_is_trusted_besides_the_systems_roots() {
        let authority = |name: &str| {
            rcgen::generate_simple_self_signed([name.to_owned()])
                .unwrap()
                .cert
                .pem()
        };
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, authority("one") + &authority("two")).unwrap();
        let with = roots(Some(file.path())).unwrap();
        assert_eq!(with.len(), roots(None).unwrap().len() + 2);
    }
}
