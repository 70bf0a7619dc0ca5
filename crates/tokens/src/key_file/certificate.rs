//! The one part of an X.509 certificate that is read here: its key (RFC 5280 §4.1). All else is walked over.

use pkcs8::der::{
    self, Decode, Reader, SliceReader, Tag, TagNumber,
    asn1::{AnyRef, BitStringRef, ContextSpecific},
};

use crate::{Error, ErrorKind};

/// The `SubjectPublicKeyInfo`, as it stands there.
pub(crate) fn key_info(certificate: &[u8]) -> Result<&[u8], Error> {
    walked(certificate).map_err(|_| ErrorKind::KeyFormat.into())
}

fn walked(certificate: &[u8]) -> der::Result<&[u8]> {
    let mut outer = SliceReader::new(certificate)?;
    let key = outer.sequence(|reader| {
        let key = reader.sequence(|signed| {
            ContextSpecific::<u8>::decode_explicit(signed, TagNumber(0))?;
            // serialNumber, signature, issuer, validity, subject.
            let before = [Tag::Integer, Tag::Sequence, Tag::Sequence, Tag::Sequence, Tag::Sequence];
            for tag in before {
                skip(signed, tag)?;
            }
            let key = signed.tlv_bytes()?;
            // issuerUniqueID, subjectUniqueID, extensions.
            while !signed.is_finished() {
                AnyRef::decode(signed)?;
            }
            Ok::<_, der::Error>(key)
        })?;
        skip(reader, Tag::Sequence)?;
        BitStringRef::decode(reader)?;
        Ok::<_, der::Error>(key)
    })?;
    outer.finish()?;
    Ok(key)
}

fn skip<'r>(reader: &mut impl Reader<'r>, tag: Tag) -> der::Result<()> {
    Tag::peek(reader)?.assert_eq(tag)?;
    reader.tlv_bytes().map(|_| ())
}
