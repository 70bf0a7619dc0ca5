//! The text around a key (RFC 7468): one block with one label.

use bartizan_core::SecretText;
use memchr::memmem;
use pem_rfc7468::LineEnding;
use zeroize::Zeroizing;

use crate::{
    Error, ErrorKind,
    key_file::{MAX_FILE, kind::Form},
    names,
};

/// What stands between the boundaries, and what the label says that it is.
pub(crate) struct Block<'a> {
    pub(crate) form: Form,
    pub(crate) der: &'a [u8],
}

/// Decodes the one block of a file into the buffer.
pub(crate) fn decode<'b>(pem: &[u8], buffer: &'b mut Zeroizing<Vec<u8>>) -> Result<Block<'b>, Error> {
    if pem.len() > MAX_FILE {
        return Err(ErrorKind::KeyTooLarge.into());
    }
    // Editors and environment variables add lines that say nothing.
    let pem = without_parameters(pem.trim_ascii_end());
    buffer.resize(pem.len(), 0);
    let (label, der) = match pem_rfc7468::decode(pem, buffer) {
        // The headers of RFC 1421 stand where OpenSSL before 1.0 encrypted a key.
        Err(pem_rfc7468::Error::HeaderDisallowed) if memmem::find(pem, b"ENCRYPTED").is_some() => {
            return Err(ErrorKind::KeyEncrypted.into());
        }
        Err(_) => return Err(ErrorKind::KeyFormat.into()),
        Ok(decoded) => decoded,
    };
    Ok(Block { form: labelled(label)?, der })
}

/// What `openssl ecparam -genkey` writes stands behind the curve in a block of its own. The key names its curve too.
fn without_parameters(pem: &[u8]) -> &[u8] {
    let rest = pem.strip_prefix(b"-----BEGIN EC PARAMETERS-----");
    let end = b"-----END EC PARAMETERS-----";
    let behind = rest.and_then(|rest| rest.get(memmem::find(rest, end)? + end.len()..));
    // The preamble that is left is the line's end.
    behind.unwrap_or(pem)
}

fn labelled(label: &str) -> Result<Form, Error> {
    Ok(match label {
        "PRIVATE KEY" => Form::Pkcs8,
        "RSA PRIVATE KEY" => Form::Pkcs1Private,
        "EC PRIVATE KEY" => Form::Sec1,
        "ENCRYPTED PRIVATE KEY" => Form::Encrypted,
        "PUBLIC KEY" => Form::Spki,
        "RSA PUBLIC KEY" => Form::Pkcs1Public,
        "CERTIFICATE" => Form::Certificate,
        _ => return Err(ErrorKind::KeyFormat.into()),
    })
}

pub(crate) fn encode(label: &str, der: &[u8]) -> Result<String, Error> {
    pem_rfc7468::encode_string(label, LineEnding::LF, der).map_err(|_| ErrorKind::Primitive.into())
}

/// The same in a buffer of the right size, which is wiped or handed over whole.
pub(crate) fn encode_secret(label: &str, der: &[u8]) -> Result<SecretText, Error> {
    let length = pem_rfc7468::encoded_len(label, LineEnding::LF, der).map_err(|_| ErrorKind::Primitive)?;
    let mut out = Zeroizing::new(vec![0; length]);
    let written =
        pem_rfc7468::encode(label, LineEnding::LF, der, &mut out).map_err(|_| ErrorKind::Primitive)?;
    let written = written.len();
    out.truncate(written);
    Ok(SecretText::new(names::text(std::mem::take(&mut out))))
}
