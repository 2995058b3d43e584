//! Agile encryption, of Office 2010 and later ([MS-OFFCRYPTO] 2.3.4.10 to 2.3.4.15): an XML description, a password that
//! is hashed as often as the file says, AES in segments of 4096 bytes, and an HMAC over the whole that is held against
//! it before anything is deciphered.

use super::Password;
use super::aes::{Aes, Block};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{EagerHash, Hmac, KeyInit, Mac};
use model::{Budget, Locked, Refusal};
use quick_xml::NsReader;
use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

/// 2.3.4.10: the most that the schema allows.
const MOST_ROUNDS: u32 = 10_000_000;
/// 2.3.4.15: the package is enciphered in pieces of this length.
const SEGMENT: usize = 4096;
/// 2.3.4.12, 2.3.4.14: what tells the keys of one password apart.
const FOR_INPUT: [u8; 8] = [0xfe, 0xa7, 0xd2, 0x76, 0x3b, 0x4b, 0x9e, 0x79];
const FOR_VALUE: [u8; 8] = [0xd7, 0xaa, 0x0f, 0x6d, 0x30, 0x61, 0x34, 0x4e];
const FOR_KEY: [u8; 8] = [0x14, 0x6e, 0x0b, 0xe7, 0xab, 0xac, 0xd0, 0xd6];
const FOR_HMAC_KEY: [u8; 8] = [0x5f, 0xb2, 0xad, 0x01, 0x0c, 0xb9, 0xe1, 0xf6];
const FOR_HMAC_VALUE: [u8; 8] = [0xa0, 0x67, 0x7f, 0x02, 0xb2, 0x2c, 0x84, 0x33];

/// What the description says.
pub struct Agile {
    package: Cipher,
    hmac_key: Vec<u8>,
    hmac_value: Vec<u8>,
    password: Cipher,
    rounds: u32,
    verifier_input: Vec<u8>,
    verifier_value: Vec<u8>,
    key_value: Vec<u8>,
}

/// How something is enciphered.
struct Cipher {
    hash: Hash,
    /// Bytes of the key.
    key: usize,
    salt: Vec<u8>,
}

#[derive(Clone, Copy)]
enum Hash {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

/// `$work` with `$D` as the hash.
macro_rules! with_hash {
    ($hash:expr, $D:ident => $work:expr) => {
        match $hash {
            Hash::Sha1 => {
                type $D = Sha1;
                $work
            }
            Hash::Sha256 => {
                type $D = Sha256;
                $work
            }
            Hash::Sha384 => {
                type $D = Sha384;
                $work
            }
            Hash::Sha512 => {
                type $D = Sha512;
                $work
            }
        }
    };
}

fn malformed() -> Refusal {
    Refusal::malformed(0, "[MS-OFFCRYPTO] 2.3.4.10: the description of agile encryption")
}

fn altered() -> Refusal {
    Refusal::malformed(0, "[MS-OFFCRYPTO] 2.3.4.14: the package was altered after it was encrypted")
}

fn internal() -> Refusal {
    Refusal::internal("unlock: length of a key")
}

impl Hash {
    fn sum(self, parts: &[&[u8]]) -> Vec<u8> {
        with_hash!(self, D => parts.iter().fold(D::new(), |hash, part| hash.chain_update(part)).finalize().to_vec())
    }

    /// 2.3.4.11, first half.
    fn spun(self, salt: &[u8], password: &[u8], rounds: u32) -> Vec<u8> {
        fn spin<D: Digest>(salt: &[u8], password: &[u8], rounds: u32) -> Vec<u8> {
            let mut sum = D::new().chain_update(salt).chain_update(password).finalize();
            for round in 0..rounds {
                sum = D::new().chain_update(round.to_le_bytes()).chain_update(sum).finalize();
            }
            sum.to_vec()
        }
        with_hash!(self, D => spin::<D>(salt, password, rounds))
    }

    fn authenticates(self, key: &[u8], data: &[u8], code: &[u8]) -> bool {
        fn check<D: EagerHash>(key: &[u8], data: &[u8], code: &[u8]) -> bool
        where
            Hmac<D>: Mac + KeyInit,
        {
            <Hmac<D> as KeyInit>::new_from_slice(key).is_ok_and(|mac| mac.chain_update(data).verify_slice(code).is_ok())
        }
        with_hash!(self, D => check::<D>(key, data, code))
    }

    const fn length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// 2.3.4.11, 2.3.4.12: cut, or filled up.
fn fit(mut bytes: Vec<u8>, length: usize) -> Vec<u8> {
    bytes.resize(length, 0x36);
    bytes
}

fn vector(bytes: Vec<u8>) -> Result<Block, Refusal> {
    fit(bytes, 16).try_into().map_err(|_| internal())
}

impl Cipher {
    fn decipher(&self, key: &[u8], vector: Block, data: &[u8]) -> Result<Vec<u8>, Refusal> {
        let mut plain = data.as_chunks::<16>().0.as_flattened().to_vec();
        Aes::new(key).ok_or_else(internal)?.cbc(vector, &mut plain);
        Ok(plain)
    }
}

impl Agile {
    /// Reads the XML of the stream `EncryptionInfo`.
    ///
    /// # Errors
    /// [`Locked::Method`] for ciphers and hashes that are not read here, [`Refusal::Malformed`] where it breaks its
    /// format.
    pub fn read(xml: &[u8]) -> Result<Self, Refusal> {
        let Elements { data: Some(data), integrity: Some(integrity), password } = Elements::read(xml)? else {
            return Err(malformed());
        };
        let Some(password) = password else {
            return Err(Refusal::Encrypted(Locked::method("a certificate instead of a password")));
        };
        let rounds = password.number("spinCount")?;
        if rounds > MOST_ROUNDS {
            return Err(malformed());
        }
        Ok(Self {
            package: data.cipher()?,
            hmac_key: integrity.bytes("encryptedHmacKey")?,
            hmac_value: integrity.bytes("encryptedHmacValue")?,
            rounds,
            verifier_input: password.bytes("encryptedVerifierHashInput")?,
            verifier_value: password.bytes("encryptedVerifierHashValue")?,
            key_value: password.bytes("encryptedKeyValue")?,
            password: password.cipher()?,
        })
    }

    /// The key of the package, where the verifier says that the password fits (2.3.4.13).
    ///
    /// # Errors
    /// Where the budget has no rounds left.
    pub fn key(&self, password: &Password, budget: &mut Budget) -> Result<Option<Vec<u8>>, Refusal> {
        budget.spend_key_iterations(u64::from(self.rounds).max(1))?;
        let cipher = &self.password;
        let spun = cipher.hash.spun(&cipher.salt, &password.utf_16(), self.rounds);
        let decipher = |purpose: &[u8], data: &[u8]| {
            let key = fit(cipher.hash.sum(&[&spun, purpose]), cipher.key);
            cipher.decipher(&key, vector(cipher.salt.clone())?, data)
        };
        let input = decipher(&FOR_INPUT, &self.verifier_input)?;
        let value = decipher(&FOR_VALUE, &self.verifier_value)?;
        let input = input.get(..cipher.salt.len()).ok_or_else(malformed)?;
        if !value.starts_with(&cipher.hash.sum(&[input])) {
            return Ok(None);
        }
        let mut key = decipher(&FOR_KEY, &self.key_value)?;
        key.truncate(self.package.key);
        if key.len() == self.package.key { Ok(Some(key)) } else { Err(malformed()) }
    }

    /// The package: `stream` with the size at its head, `data` without. The HMAC over the stream comes first (2.3.4.14).
    ///
    /// # Errors
    /// [`Refusal::Malformed`] where it does not fit.
    pub fn decrypt(&self, key: &[u8], stream: &[u8], data: &[u8]) -> Result<Vec<u8>, Refusal> {
        let Cipher { hash, salt, .. } = &self.package;
        let code = |purpose: &[u8], data: &[u8]| {
            let mut code = self.package.decipher(key, vector(hash.sum(&[salt, purpose]))?, data)?;
            code.truncate(hash.length());
            Ok::<_, Refusal>(code)
        };
        let (hmac_key, hmac) = (code(&FOR_HMAC_KEY, &self.hmac_key)?, code(&FOR_HMAC_VALUE, &self.hmac_value)?);
        if !hash.authenticates(&hmac_key, stream, &hmac) {
            return Err(altered());
        }
        let aes = Aes::new(key).ok_or_else(internal)?;
        let mut plain = data.as_chunks::<16>().0.as_flattened().to_vec();
        for (number, segment) in (0_u32..).zip(plain.chunks_mut(SEGMENT)) {
            aes.cbc(vector(hash.sum(&[salt, &number.to_le_bytes()]))?, segment);
        }
        Ok(plain)
    }
}

/// The elements of the description that matter, by their attributes.
#[derive(Default)]
struct Elements {
    data: Option<Attributes>,
    integrity: Option<Attributes>,
    password: Option<Attributes>,
}

struct Attributes(Vec<(String, String)>);

/// The namespace of keys that a password gives (2.3.4.10).
const OF_PASSWORDS: &str = "http://schemas.microsoft.com/office/2006/keyEncryptor/password";

impl Elements {
    fn read(xml: &[u8]) -> Result<Self, Refusal> {
        let mut reader = NsReader::from_str(std::str::from_utf8(xml).map_err(|_| malformed())?);
        let mut elements = Self::default();
        loop {
            let (namespace, event) = reader.read_resolved_event().map_err(|_| malformed())?;
            let element = match event {
                Event::Start(element) | Event::Empty(element) => element,
                Event::Eof => return Ok(elements),
                Event::DocType(_) | Event::PI(_) => return Err(malformed()),
                Event::End(_)
                | Event::Text(_)
                | Event::CData(_)
                | Event::Comment(_)
                | Event::Decl(_)
                | Event::GeneralRef(_) => continue,
            };
            let slot = match element.local_name().as_ref() {
                "keyData" => &mut elements.data,
                "dataIntegrity" => &mut elements.integrity,
                "encryptedKey" if namespace == ResolveResult::Bound(Namespace(OF_PASSWORDS)) => &mut elements.password,
                _ => continue,
            };
            // Two of a kind are two keys to two readers.
            if slot.replace(Attributes::of(&element)?).is_some() {
                return Err(malformed());
            }
        }
    }
}

impl Attributes {
    fn of(element: &BytesStart<'_>) -> Result<Self, Refusal> {
        let pair = |attribute: Result<Attribute<'_>, _>| {
            let attribute = attribute.map_err(|_| malformed())?;
            Ok((attribute.key.as_ref().to_owned(), attribute.value.into_owned()))
        };
        element.attributes().map(pair).collect::<Result<_, _>>().map(Self)
    }

    fn text(&self, name: &str) -> Result<&str, Refusal> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).ok_or_else(malformed)
    }

    fn number(&self, name: &str) -> Result<u32, Refusal> {
        self.text(name)?.parse().map_err(|_| malformed())
    }

    fn bytes(&self, name: &str) -> Result<Vec<u8>, Refusal> {
        STANDARD.decode(self.text(name)?).map_err(|_| malformed())
    }

    fn cipher(&self) -> Result<Cipher, Refusal> {
        let method = |what| Err(Refusal::Encrypted(Locked::method(what)));
        if self.text("cipherAlgorithm")? != "AES" || self.text("cipherChaining")? != "ChainingModeCBC" {
            return method("a cipher of Office other than AES with CBC");
        }
        let hash = match self.text("hashAlgorithm")? {
            "SHA1" | "SHA-1" => Hash::Sha1,
            "SHA256" => Hash::Sha256,
            "SHA384" => Hash::Sha384,
            "SHA512" => Hash::Sha512,
            _ => return method("a hash of Office other than SHA"),
        };
        let key = match self.number("keyBits")? {
            128 => 16,
            192 => 24,
            256 => 32,
            _ => return Err(malformed()),
        };
        let salt = self.bytes("saltValue")?;
        if self.number("blockSize")? != 16 || usize::try_from(self.number("saltSize")?) != Ok(salt.len()) {
            return Err(malformed());
        }
        Ok(Cipher { hash, key, salt })
    }
}
