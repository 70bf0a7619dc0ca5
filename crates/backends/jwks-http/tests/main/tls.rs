//! An issuer whose certificate is right, and one whose is not.

use std::sync::Arc;

use bartizan_egress::Trust;
use bartizan_tokens::{ErrorKind, FetchErrorKind, RefreshError};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer as Authority, KeyPair};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer},
};
use tokio_rustls::TlsAcceptor;

use crate::issuer::{Issuer, Service, jwks, key, ok};

fn acceptor(certificate: CertificateDer<'static>, key: &KeyPair) -> TlsAcceptor {
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

#[tokio::test]
async fn an_issuer_is_believed_by_its_certificate_alone() {
    let authority_key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new([]).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let pem = authority.self_signed(&authority_key).unwrap().pem();
    let authority = Authority::new(authority, authority_key);
    let server_key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    let signed = params.signed_by(&server_key, &authority).unwrap();
    let alone = params.self_signed(&server_key).unwrap();

    let good = key(1, "a");
    for (certificate, is_right) in [(signed, true), (alone, false)] {
        let tls = acceptor(certificate.der().clone(), &server_key);
        let issuer = Issuer::start(ok("", &jwks(&[&good])), Some(tls)).await;
        let url = format!("https://{}/jwks", issuer.address);
        let service = Service::with(&url, Trust::pem(pem.as_bytes()).unwrap(), |builder| builder).await;
        assert_eq!(service.remote.ready().await.is_ok(), is_right);
        let (judged, error) = if is_right {
            (None, None)
        } else {
            (Some(ErrorKind::KeysUnavailable), Some(RefreshError::Fetch(FetchErrorKind::Tls)))
        };
        assert_eq!((service.judge(&good), service.remote.status().last_error), (judged, error));
        assert_eq!(issuer.heads().len(), usize::from(is_right), "nothing is said to whom nobody vouches for");
    }
}
