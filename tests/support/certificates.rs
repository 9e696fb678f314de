//! Certificates made for a test, good and bad, and a TLS server that shows one.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// Somebody who signs.
pub type Authority = CertifiedIssuer<'static, KeyPair>;

/// A new one.
pub fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a CA")
}

/// For 127.0.0.1, valid for long.
pub fn leaf() -> CertificateParams {
    CertificateParams::new(["127.0.0.1".to_owned()]).expect("parameters")
}

/// The same, with a change.
pub fn but(mut params: CertificateParams, change: impl FnOnce(&mut CertificateParams)) -> CertificateParams {
    change(&mut params);
    params
}

/// A certificate and its key.
pub type Certified = (CertificateDer<'static>, KeyPair);

/// Signed by somebody.
pub fn signed(params: CertificateParams, by: &Authority) -> Certified {
    let key = KeyPair::generate().expect("a key");
    (params.signed_by(&key, by).expect("a certificate").der().clone(), key)
}

/// Signed by itself.
pub fn self_signed(params: CertificateParams) -> Certified {
    let key = KeyPair::generate().expect("a key");
    (params.self_signed(&key).expect("a certificate").der().clone(), key)
}

/// A TLS server that gives this answer; its base address.
pub async fn serve_tls((certificate, key): Certified, answer: Vec<u8>) -> String {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("versions");
    let config = config.with_no_client_auth().with_single_cert(vec![certificate], key).expect("a certificate and its key");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let base = format!("https://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // A client that does not trust us leaves in the handshake.
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut asked = [0; 4096];
            if stream.read(&mut asked).await.is_ok() && stream.write_all(&answer).await.is_ok() {
                let _gone = stream.shutdown().await;
            }
        }
    });
    base
}
