//! Originals are encrypted with age (age-encryption.org/v1, X25519) to people, never to this machine.

use super::QuarantineError;
use crate::ledger::identity;
use age::secrecy::ExposeSecret;
use age::x25519::{Identity, Recipient};
use jail::{Growing, Sealed, SpoolDir};
use model::{Digest, QuarantinePolicy, WithoutRecipients};
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{BufReader, BufWriter, IntoInnerError, Read, Write};
use std::path::Path;

/// The key of a station whose policy names no recipient; mode 0600.
const STATION_KEY: &str = "quarantine.key";
/// Ours: an identity file is a few lines.
const MOST_IDENTITY_BYTES: u64 = 64 << 10;
const BLOCK: usize = 128 * 1024;

/// Who can open what is put into the quarantine.
#[derive(Debug)]
pub struct Recipients {
    keys: Vec<Recipient>,
    of_station: bool,
}

impl Recipients {
    /// The recipients of `policy`; where it names none and allows it, a key that is made and kept in `state`.
    ///
    /// # Errors
    /// [`QuarantineError::Policy`] where a recipient is none, or there is none and policy refuses that.
    pub fn of(policy: &QuarantinePolicy, state: &Path) -> Result<Self, QuarantineError> {
        let keys = parse(policy)?;
        match (keys.is_empty(), policy.without_recipients) {
            (false, _) => Ok(Self { keys, of_station: false }),
            (true, WithoutRecipients::StationKey) => {
                Ok(Self { keys: vec![station_identity(state)?.to_public()], of_station: true })
            }
            (true, WithoutRecipients::Refuse) => Err(QuarantineError::Policy(
                "the policy names no recipient for the quarantine: let the security team run `sallyport quarantine \
                 keygen` and put its age1… into [quarantine] recipients"
                    .to_owned(),
            )),
        }
    }

    /// As they are written in policies and items, in order.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.keys.iter().map(ToString::to_string).collect();
        names.sort();
        names
    }

    /// Whether the only recipient is the station itself.
    #[must_use]
    pub const fn of_station(&self) -> bool {
        self.of_station
    }
}

/// The recipients of a policy.
///
/// # Errors
/// [`QuarantineError::Policy`] with the one that is none.
pub(crate) fn parse(policy: &QuarantinePolicy) -> Result<Vec<Recipient>, QuarantineError> {
    let one = |text: &String| {
        let refuse = |why| QuarantineError::Policy(format!("{text:?} is no age recipient (age1…, X25519): {why}"));
        text.parse::<Recipient>().map_err(refuse)
    };
    policy.recipients.iter().map(one).collect()
}

/// Who can open originals, as the security team brings them.
pub struct Identities(Vec<Identity>);

impl Identities {
    /// Reads a file as `age-keygen` and `sallyport quarantine keygen` write it: comments and `AGE-SECRET-KEY-1…` lines.
    ///
    /// # Errors
    /// [`QuarantineError::Usage`]; nothing of the file is repeated in it.
    pub fn read(path: &Path) -> Result<Self, QuarantineError> {
        let text = identity_text(path).map_err(|error| refuse_identity(path, &error.to_string()))?;
        Self::parse(path, &text)
    }

    fn parse(path: &Path, text: &str) -> Result<Self, QuarantineError> {
        let refuse = |why: &str| refuse_identity(path, why);
        if text.starts_with("age-encryption.org/") || text.starts_with("-----BEGIN AGE") {
            return Err(refuse("it is protected by a password; open it first: age -d -o FILE, on a disk in memory"));
        }
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let keys = lines.map(str::parse).collect::<Result<Vec<Identity>, _>>();
        match keys {
            Ok(keys) if !keys.is_empty() => Ok(Self(keys)),
            Ok(_) | Err(_) => Err(refuse("it holds no age identity (AGE-SECRET-KEY-1…, X25519)")),
        }
    }
}

fn identity_text(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MOST_IDENTITY_BYTES).read_to_string(&mut text)?;
    Ok(text)
}

fn refuse_identity(path: &Path, why: &str) -> QuarantineError {
    QuarantineError::Usage(format!("the identity {}: {why}", path.display()))
}

/// A new identity: the text of its file, and its recipient.
#[must_use]
pub fn keygen() -> (String, String) {
    let identity = Identity::generate();
    let recipient = identity.to_public().to_string();
    (format!("# public key: {recipient}\n{}\n", identity.to_string().expose_secret()), recipient)
}

/// Reads the station's own key in `state`, or makes it.
fn station_identity(state: &Path) -> Result<Identity, QuarantineError> {
    let path = state.join(STATION_KEY);
    let io = |source| QuarantineError::Io { path: path.clone(), source };
    if !path.exists() {
        identity::make(state, STATION_KEY, &keygen().0).map_err(io)?;
    }
    // The station's own disk, and no mistake of whoever called.
    let text = identity_text(&path).map_err(io)?;
    let Identities(keys) = Identities::parse(&path, &text)?;
    keys.into_iter().next().ok_or_else(|| QuarantineError::Usage(format!("{} holds no key", path.display())))
}

/// At most so many bytes do `len` bytes become for `recipients` (age: a header, then 16 bytes for each 64 KiB).
pub(super) fn encrypted_size(len: u64, recipients: &Recipients) -> u64 {
    let header = 256u64.saturating_add(128u64.saturating_mul(recipients.keys.len() as u64));
    len.saturating_add(header).saturating_add((len >> 16).saturating_add(1).saturating_mul(16))
}

/// Encrypts all of `from` into `to` and syncs it: digest and length of what was written.
pub(super) fn encrypt(from: &mut impl Read, recipients: &Recipients, to: File) -> std::io::Result<(Digest, u64)> {
    let keys = recipients.keys.iter().map(|key| key as &dyn age::Recipient);
    let encryptor = age::Encryptor::with_recipients(keys).map_err(std::io::Error::other)?;
    // The header goes through a buffer: age would put what the disk says of it into a text of its own.
    let buffered = BufWriter::new(Hashing { to, hash: Sha256::new(), len: 0 });
    let mut writer = encryptor.wrap_output(buffered)?;
    copy(from, &mut writer)?;
    let done = writer.finish()?.into_inner().map_err(IntoInnerError::into_error)?;
    done.to.sync_all()?;
    Ok((Digest::new(done.hash.finalize().into()), done.len))
}

/// Decrypts `from` into sealed bytes and hashes them.
pub(super) fn decrypt(from: File, with: &Identities, spool: &SpoolDir, len: u64) -> Result<(Sealed, Digest), String> {
    let decryptor = age::Decryptor::new_buffered(BufReader::new(from)).map_err(|error| error.to_string())?;
    let keys = with.0.iter().map(|key| key as &dyn age::Identity);
    let mut reader = decryptor.decrypt(keys).map_err(|error| {
        if matches!(error, age::DecryptError::NoMatchingKeys) {
            return "this identity cannot open it: bring the one of a recipient".to_owned();
        }
        error.to_string()
    })?;
    let growing = Growing::create(spool, len).map_err(|error| format!("the spool cannot be written: {error}"))?;
    let mut hashing = Hashing { to: growing, hash: Sha256::new(), len: 0 };
    copy(&mut reader, &mut hashing).map_err(|error| error.to_string())?;
    let sealed = hashing.to.seal().map_err(|error| format!("the spool cannot be written: {error}"))?;
    Ok((sealed, Digest::new(hashing.hash.finalize().into())))
}

fn copy(from: &mut impl Read, to: &mut impl Write) -> std::io::Result<()> {
    let mut block = vec![0u8; BLOCK];
    loop {
        let n = from.read(&mut block)?;
        if n == 0 {
            return Ok(());
        }
        to.write_all(block.get(..n).unwrap_or_default())?;
    }
}

struct Hashing<W> {
    to: W,
    hash: Sha256,
    len: u64,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let n = self.to.write(bytes)?;
        self.hash.update(bytes.get(..n).unwrap_or_default());
        self.len = self.len.saturating_add(n as u64);
        Ok(n)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.to.flush()
    }
}
