//! `build`.

use super::{keys, show, unread, unwritten, workshop};
use signatures::bundle::FileKind;
use signatures::keys::{LockedKey, SigningKey};
use signatures::store::StoreError;
use station::rules::{self, Details};
use std::path::{Path, PathBuf};

/// Makes a bundle. What is said here goes before what the folder's `bundle.toml` says.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The folder: rule files, lists/, samples/must-hit/, samples/must-not-hit/, clamav/.
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// The bundle to write.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Sign with this secret key; several keys give several .minisig files. Without one, sign with `minisign -S`.
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,
    /// The keys' password is the first line of this file.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Name of the set.
    #[arg(long, value_name = "NAME")]
    id: Option<String>,
    /// Whom it is for [default: main].
    #[arg(long, value_name = "NAME")]
    channel: Option<String>,
    /// Its number: higher than that of the last bundle of the channel.
    #[arg(long, value_name = "NUMBER")]
    sequence: Option<u64>,
    /// Day of the newest rule, like 2026-01-31.
    #[arg(long, value_name = "DAY")]
    date: Option<String>,
    /// Day of the build [default: that of the newest rule].
    #[arg(long, value_name = "DAY")]
    created: Option<String>,
    /// First day on which it counts no more.
    #[arg(long, value_name = "DAY")]
    expires: Option<String>,
    /// A key that counts from this bundle on: its .pub file.
    #[arg(long, value_name = "FILE")]
    next_key: Vec<PathBuf>,
    /// Id of a key that counts no more from this bundle on.
    #[arg(long, value_name = "ID")]
    revoke: Vec<String>,
}

/// Builds, signs and says what was left out.
pub fn build(arguments: &Arguments) -> Result<u8, StoreError> {
    if !arguments.dir.is_dir() {
        return Err(StoreError::Usage(format!("{} is no folder; check the path", arguments.dir.display())));
    }
    let password = arguments.password_file.as_deref().map(keys::password).transpose()?;
    let signing = arguments.key.iter().map(|path| open_key(path, password.as_deref()));
    let signing: Vec<SigningKey> = signing.collect::<Result<_, StoreError>>()?;
    let next = |path: &PathBuf| {
        let text = std::fs::read_to_string(path).map_err(unread(path))?;
        let key = signatures::keys::PublicKey::parse(&text);
        key.map(|key| key.to_base64()).map_err(|error| StoreError::Usage(format!("{}: {error}", path.display())))
    };
    let said = Details {
        id: arguments.id.clone(),
        channel: arguments.channel.clone(),
        sequence: arguments.sequence,
        date: arguments.date.clone(),
        created: arguments.created.clone(),
        expires: arguments.expires.clone(),
        next_keys: arguments.next_key.iter().map(next).collect::<Result<_, _>>()?,
        revoked_keys: arguments.revoke.clone(),
        ..Details::default()
    };
    let built = rules::build(&workshop()?, &arguments.dir, said)?;
    let manifest = &built.manifest;
    let comment = format!("channel:{} sequence:{} id:{}", manifest.channel, manifest.sequence, manifest.id);
    let mut signed = Vec::new();
    for (index, key) in signing.iter().enumerate() {
        let text = key.sign(&built.bytes, &comment).map_err(|error| StoreError::Usage(error.to_string()))?;
        let ending = if index == 0 { ".minisig".to_owned() } else { format!(".{}.minisig", key.id()) };
        let mut path = arguments.output.clone().into_os_string();
        path.push(ending);
        signed.push((PathBuf::from(path), text));
    }
    std::fs::write(&arguments.output, &built.bytes).map_err(unwritten(&arguments.output))?;
    for (path, text) in &signed {
        std::fs::write(path, text).map_err(unwritten(path))?;
    }
    println!(
        "{}: {} number {}, {} rules in {} files, {} lists, {} samples, {} databases, {} bytes",
        arguments.output.display(),
        manifest.id,
        manifest.sequence,
        manifest.rules,
        built.count(FileKind::Rules),
        built.count(FileKind::List),
        built.count(FileKind::MustHit).saturating_add(built.count(FileKind::MustNotHit)),
        built.count(FileKind::ClamAv),
        built.bytes.len(),
    );
    show::left_out(&manifest.left_out);
    if signed.is_empty() {
        println!("it is not signed: minisign -S -m {}", arguments.output.display());
    }
    Ok(0)
}

fn open_key(path: &Path, password: Option<&str>) -> Result<SigningKey, StoreError> {
    let wrong = |error: signatures::keys::KeyError| StoreError::Usage(format!("{}: {error}", path.display()));
    let locked = LockedKey::new(std::fs::read_to_string(path).map_err(unread(path))?);
    match (locked.open().map_err(wrong)?, password) {
        (Some(key), _) => Ok(key),
        (None, Some(password)) => locked.unlock(password).map_err(wrong),
        (None, None) => {
            Err(StoreError::Usage(format!("{} has a password: give it with --password-file", path.display())))
        }
    }
}
