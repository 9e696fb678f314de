//! `[http] extra_ca`: root certificates beside those of this machine, from a PEM file.

use std::path::Path;

use x509_parser::pem::Pem;

/// The certificates of a PEM file, as DER; at least one.
///
/// # Errors
/// What is wrong with the file, and the fix, in one sentence.
pub fn read_certificates(path: &Path) -> Result<Vec<Vec<u8>>, String> {
    let wrong = |what: String| format!("[http] extra_ca {} {what}; write the path of a PEM file with root certificates", path.display());
    let text = std::fs::read(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    let mut certificates = Vec::new();
    for (no, pem) in (1..).zip(Pem::iter_from_buffer(&text)) {
        let pem = pem.map_err(|error| wrong(format!("is broken at block {no}: {error}")))?;
        if pem.label != "CERTIFICATE" {
            return Err(wrong(format!("holds {:?} at block {no}, which is no certificate", pem.label)));
        }
        pem.parse_x509().map_err(|error| wrong(format!("has no certificate in block {no}: {error}")))?;
        certificates.push(pem.contents);
    }
    if certificates.is_empty() { Err(wrong("holds no certificate".to_owned())) } else { Ok(certificates) }
}
