//! How servers are trusted: by the command line, this directory's own by exactly the certificate it is configured with,
//! others as the system does; CQL servers and Redis by a file of authorities, or as the system does.

use std::{path::Path, sync::Arc};

use anyhow::Context as _;
use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
};
use rustls_platform_verifier::BuilderVerifierExt as _;

use crate::config::Config;

/// How the server at `url` proves itself; `None` is the one that this configuration starts.
///
/// Its listen address stands in no certificate, so its certificate itself is what is compared.
pub fn trust(config: &Config, url: Option<&str>) -> anyhow::Result<ClientConfig> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions()?;
    let file = &config.server.tls_certificate;
    if url.is_some() || file.as_os_str().is_empty() {
        let verified = builder.with_platform_verifier().context("the system's certificates")?;
        return Ok(verified.with_no_client_auth());
    }
    let own = CertificateDer::from_pem_file(file);
    let own = own.map_err(|error| anyhow::anyhow!("server.tls_certificate = {file:?} cannot be read: {error}"))?;
    let only = Arc::new(Only { own, provider });
    Ok(builder.dangerous().with_custom_certificate_verifier(only).with_no_client_auth())
}

/// Trusts what the authorities in a file have signed, or the system's without one. `key` names it in errors.
pub fn authorities(key: &str, file: &Path) -> anyhow::Result<ClientConfig> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    if file.as_os_str().is_empty() {
        let verified = builder.with_platform_verifier().context("the system's certificates")?;
        return Ok(verified.with_no_client_auth());
    }
    let unusable = |error: &dyn std::fmt::Display| anyhow::anyhow!("{key} = {file:?} cannot be used: {error}");
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|error| unusable(&error))? {
        let certificate = certificate.map_err(|error| unusable(&error))?;
        roots.add(certificate).map_err(|error| unusable(&error))?;
    }
    if roots.is_empty() {
        return Err(unusable(&"it holds no certificate"));
    }
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// Accepts one certificate and no other, whatever name it bears and whoever signed it.
#[derive(Debug)]
struct Only {
    own: CertificateDer<'static>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Only {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if *shown == self.own {
            return Ok(ServerCertVerified::assertion());
        }
        Err(rustls::Error::General("the server shows another certificate than server.tls_certificate".to_owned()))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
