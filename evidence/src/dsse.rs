//! Dead Simple Signing Envelope, version 1: the payload is signed together with its type, and never parsed before the
//! signature holds.

use crate::{EvidenceError, PublicKey, StationKey};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};

/// The type of an in-toto Statement.
pub const IN_TOTO: &str = "application/vnd.in-toto+json";
/// Ours: a statement over a hundred thousand files has some 60 MB.
pub const MOST_BYTES: usize = 256 << 20;
const WHAT: &str = "the manifest";

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Envelope {
    payload: String,
    payload_type: String,
    signatures: Vec<Signed>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signed {
    keyid: String,
    sig: String,
}

/// What is signed: `DSSEv1`, then type and payload, each led by its length in bytes.
#[must_use]
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

/// An envelope around `payload`, as JSON.
#[must_use]
pub fn seal(key: &StationKey, payload_type: &str, payload: &[u8]) -> String {
    let sig = BASE64_STANDARD.encode(key.sign(&pae(payload_type, payload)));
    let envelope = Envelope {
        payload: BASE64_STANDARD.encode(payload),
        payload_type: payload_type.to_owned(),
        signatures: vec![Signed { keyid: key.public().id(), sig }],
    };
    // Three strings: this cannot fail; an empty envelope would be refused by every reader.
    serde_json::to_string(&envelope).map(|text| text + "\n").unwrap_or_default()
}

/// Checks an envelope and gives its payload with the key that signed it, which is one of `trusted`.
///
/// # Errors
/// [`EvidenceError`]; the payload is not shown then.
pub fn open(envelope: &[u8], payload_type: &str, trusted: &[PublicKey]) -> Result<(Vec<u8>, PublicKey), EvidenceError> {
    let refuse = |rule: &str| EvidenceError::form(WHAT, rule);
    if envelope.len() > MOST_BYTES {
        return Err(refuse("too large"));
    }
    let envelope: Envelope = serde_json::from_slice(envelope).map_err(|e| refuse(&format!("no DSSE envelope: {e}")))?;
    if envelope.payload_type != payload_type {
        return Err(refuse("another type of payload"));
    }
    let payload = BASE64_STANDARD.decode(&envelope.payload).map_err(|_| refuse("the payload is not base64"))?;
    let signed = pae(payload_type, &payload);
    // The key id is a hint (DSSE, 2.1): each trusted key is tried on each signature.
    for signature in &envelope.signatures {
        let bytes = BASE64_STANDARD.decode(&signature.sig).ok().and_then(|bytes| <[u8; 64]>::try_from(bytes).ok());
        let bytes = bytes.ok_or_else(|| refuse("a signature is not 64 bytes in base64"))?;
        if let Some(key) = trusted.iter().find(|key| key.verifies(&signed, &bytes)) {
            return Ok((payload, *key));
        }
    }
    let named = |signature: &Signed| trusted.iter().any(|key| key.id() == signature.keyid);
    match envelope.signatures.first() {
        Some(_) if envelope.signatures.iter().any(named) => Err(EvidenceError::Signature { what: WHAT }),
        Some(first) => {
            let by = first.keyid.chars().filter(|c| c.is_ascii_graphic()).take(64).collect();
            Err(EvidenceError::Untrusted { what: WHAT, by })
        }
        None => Err(EvidenceError::Untrusted { what: WHAT, by: "nobody".to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_is_that_of_the_protocol() {
        assert_eq!(
            pae("http://example.com/HelloWorld", b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
    }

    #[test]
    fn an_envelope_opens_for_whom_trusts_its_key_and_for_nobody_else() {
        let (key, other) = (StationKey::from_seed(&[1; 32]), StationKey::from_seed(&[2; 32]).public());
        let sealed = seal(&key, IN_TOTO, b"{}");
        let open = |bytes: &[u8], trusted: &[PublicKey]| super::open(bytes, IN_TOTO, trusted);
        assert_eq!(open(sealed.as_bytes(), &[other, key.public()]), Ok((b"{}".to_vec(), key.public())));
        assert!(matches!(open(sealed.as_bytes(), &[other]), Err(EvidenceError::Untrusted { .. })));
        assert!(matches!(open(sealed.as_bytes(), &[]), Err(EvidenceError::Untrusted { .. })));
        assert!(super::open(sealed.as_bytes(), "text/plain", &[key.public()]).is_err());
        let unsigned = sealed.replacen(&sealed[sealed.find("\"signatures\":").unwrap()..], "\"signatures\":[]}", 1);
        assert!(matches!(open(unsigned.as_bytes(), &[key.public()]), Err(EvidenceError::Untrusted { .. })));
    }

    #[test]
    fn no_changed_byte_is_taken() {
        let key = StationKey::from_seed(&[1; 32]);
        let sealed = seal(&key, IN_TOTO, br#"{"a":1}"#).into_bytes();
        for at in 0..sealed.len() {
            let mut bent = sealed.clone();
            bent[at] ^= 1;
            if let Ok((payload, _)) = open(&bent, IN_TOTO, &[key.public()]) {
                // Only the hint and blanks at the end are free.
                assert_eq!(payload, br#"{"a":1}"#, "byte {at}");
            }
        }
    }
}
