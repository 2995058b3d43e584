//! Encrypted Office documents ([MS-OFFCRYPTO] 2.3.4): a compound file with the description `EncryptionInfo` and the
//! package `EncryptedPackage`, by one of two schemes. What comes out must be an Office package again; it is shown to the
//! engines and cleaned like one that was never encrypted.

use super::{Password, agile, standard};
use crate::ole::{Compound, Stream};
use crate::zip_read::u32_at;
use crate::{Cx, Rebuilt, identify};
use model::{Budget, ExportKind, Fact, FindingAction, Locked, Method, Refusal, Untrusted};

/// Excel and PowerPoint open what has this password without asking ([MS-OFFCRYPTO] 2.3.7.1), so everybody has it; it
/// is a known way around scanners.
const EVERYBODYS: &str = "VelvetSweatshop";

/// Ours: descriptions take some kilobytes.
const MOST_INFO: usize = 1 << 20;

/// A scheme, with what the description says.
pub enum Scheme {
    Agile(agile::Agile),
    Standard(standard::Standard),
}

impl Scheme {
    /// By the version at its head.
    fn read(info: &[u8]) -> Result<Self, Refusal> {
        let method = |what| Err(Refusal::Encrypted(Locked::method(what)));
        match u32_at(info, 0).map(|version| (version & 0xffff, version >> 16)) {
            Some((4, 4)) => agile::Agile::read(info.get(8..).unwrap_or_default()).map(Self::Agile),
            Some((2..=4, 2)) => standard::Standard::read(info).map(Self::Standard),
            Some((3 | 4, 3)) => method("Office's extensible encryption"),
            Some((1, 1)) => method("Office's RC4 encryption"),
            Some(_) | None => Err(Refusal::malformed(0, "[MS-OFFCRYPTO] 2.3.4: version of the encryption")),
        }
    }

    /// The key of the package, where the password fits.
    fn key(&self, password: &Password, budget: &mut Budget) -> Result<Option<Vec<u8>>, Refusal> {
        match self {
            Self::Agile(agile) => agile.key(password, budget),
            Self::Standard(standard) => standard.key(password, budget),
        }
    }

    /// The package, as long as the size at its head says.
    fn decrypt(&self, key: &[u8], stream: &[u8]) -> Result<Vec<u8>, Refusal> {
        let cut_off = || Refusal::malformed(0, "[MS-OFFCRYPTO] 2.3.4.4: the encrypted package is cut off");
        let (size, data) = stream.split_first_chunk::<8>().ok_or_else(cut_off)?;
        let size = usize::try_from(u64::from_le_bytes(*size)).ok().filter(|size| *size <= data.len());
        let size = size.ok_or_else(cut_off)?;
        let mut plain = match self {
            Self::Agile(agile) => agile.decrypt(key, stream, data)?,
            Self::Standard(_) => standard::decrypt(key, data)?,
        };
        // What is deciphered comes in whole blocks.
        if plain.len() < size {
            return Err(cut_off());
        }
        plain.truncate(size);
        Ok(plain)
    }
}

/// Opens the encrypted document `input`, called `name`, and cleans what is in it.
///
/// # Errors
/// [`Refusal::Encrypted`] where no password fits, else what the package is refused for.
pub fn open(name: &str, input: Untrusted<'_>, cx: &mut Cx<'_>) -> Result<Rebuilt, Refusal> {
    let plain = decrypt(input.bytes(), cx)?;
    let inner = inner_name(name);
    let format = identify(&inner, Untrusted::new(&plain), cx.policy).format;
    if !format.is_ooxml() && crate::reconstructor(format).is_some() {
        // Not what Office writes; whatever it is, the engines shall see it.
        cx.export(ExportKind::Embedded, &inner, &plain)?;
        return Err(Refusal::malformed(0, "[MS-OFFCRYPTO] 1.3.3: what is encrypted is no Office package"));
    }
    let made = cx.part(&inner, Untrusted::new(&plain), ExportKind::Embedded)?;
    // Even where the package passes as it is, these are not the bytes that came in.
    Ok(Rebuilt { method: unpassed(made.method), ..made })
}

const fn unpassed(method: Method) -> Method {
    match method {
        Method::Passed | Method::Original | Method::Rebuilt => Method::Rebuilt,
        Method::Flattened => Method::Flattened,
        Method::Converted => Method::Converted,
    }
}

fn decrypt(bytes: &[u8], cx: &mut Cx<'_>) -> Result<Vec<u8>, Refusal> {
    let broken = || Refusal::malformed(0, "[MS-CFB] 2: the compound file cannot be read");
    let file = Compound::open(bytes, cx.budget)?.ok_or_else(broken)?;
    let stream = |name: &str| only(file.streams(), name);
    let Some(info) = stream("EncryptionInfo")? else {
        return Err(Refusal::Encrypted(Locked::method("rights management")));
    };
    let info = file.read(info, cx.budget)?;
    if info.len() > MOST_INFO {
        return Err(Refusal::malformed(0, "[MS-OFFCRYPTO] 2.3.4: the description of the encryption"));
    }
    let scheme = Scheme::read(&info)?;
    let package = stream("EncryptedPackage")?;
    let package = package.ok_or_else(|| Refusal::malformed(0, "[MS-OFFCRYPTO] 2.3.4.4: there is no package"))?;
    let package = file.read(package, cx.budget)?;
    let (key, whose) = fitting(&scheme, cx)?;
    // Deciphered bytes are as many as the enciphered ones.
    cx.budget.spend_bytes(package.len() as u64)?;
    let plain = scheme.decrypt(&key, &package)?;
    cx.found("OOX-32", FindingAction::Removed, whose);
    cx.fact(Fact::Encrypted, "");
    Ok(plain)
}

/// A stream of that name; two of them would be two documents to two readers.
fn only<'s>(streams: &'s [Stream], name: &str) -> Result<Option<&'s Stream>, Refusal> {
    let mut named = streams.iter().filter(|stream| stream.name == name);
    match (named.next(), named.next()) {
        (found, None) => Ok(found),
        (_, Some(_)) => Err(Refusal::Ambiguous { what: "another encrypted document".into() }),
    }
}

/// The key, and whose password gave it.
fn fitting(scheme: &Scheme, cx: &mut Cx<'_>) -> Result<(Vec<u8>, &'static str), Refusal> {
    let (keys, budget) = (cx.keys, &mut *cx.budget);
    if let Some(key) = scheme.key(&Password::known(EVERYBODYS), budget)? {
        return Ok((key, "the password that Office tries by itself"));
    }
    let found = keys.find(|password| scheme.key(password, budget))?;
    found.map(|key| (key, "opened with a password")).ok_or_else(|| keys.locked())
}

/// What is inside is called like the file, as far as its extension goes.
fn inner_name(name: &str) -> String {
    let extension = crate::identify::extension(name);
    if extension.is_empty() { "decrypted package".into() } else { format!("decrypted package.{extension}") }
}
