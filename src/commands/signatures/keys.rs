//! `keygen` and `trust`.

use super::{act, now, unread, unwritten};
use clap::Subcommand;
use model::time;
use signatures::keys::{PublicKey, generate};
use signatures::store::{Store, StoreError};
use signatures::trust::Trust;
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Makes `NAME.key` and `NAME.pub`.
#[derive(Debug, clap::Args)]
pub struct KeygenArguments {
    /// The pair is written to NAME.key (secret) and NAME.pub, as minisign does.
    #[arg(value_name = "NAME")]
    name: PathBuf,
    /// Protect the secret key with the password in this file (its first line).
    #[arg(long, value_name = "FILE", conflicts_with = "no_password")]
    password_file: Option<PathBuf>,
    /// Leave the secret key unprotected: for a machine that signs by itself.
    #[arg(long, required_unless_present = "password_file")]
    no_password: bool,
}

/// Makes a key pair.
pub fn keygen(arguments: &KeygenArguments) -> Result<u8, StoreError> {
    let password = arguments.password_file.as_deref().map(password).transpose()?;
    let failed = |error: signatures::keys::KeyError| StoreError::Usage(format!("no key could be made: {error}"));
    let pair = generate(password.as_deref()).map_err(failed)?;
    let (secret, public) = (with_ending(&arguments.name, "key"), with_ending(&arguments.name, "pub"));
    for (path, text, mode) in [(&secret, &pair.secret, 0o600), (&public, &pair.public, 0o644)] {
        let opened = File::options().write(true).create_new(true).mode(mode).open(path);
        let mut file = opened.map_err(|error| {
            if error.kind() == std::io::ErrorKind::AlreadyExists {
                return StoreError::Usage(format!("{} is there already; choose another name", path.display()));
            }
            unwritten(path)(error)
        })?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(unwritten(path))?;
    }
    println!("key {}: keep {} secret, give {} to the stations", pair.id, secret.display(), public.display());
    Ok(0)
}

fn with_ending(name: &Path, ending: &str) -> PathBuf {
    let mut path = name.as_os_str().to_owned();
    path.push(".");
    path.push(ending);
    PathBuf::from(path)
}

/// The first line of a file.
pub fn password(path: &Path) -> Result<String, StoreError> {
    let text = std::fs::read_to_string(path).map_err(unread(path))?;
    let line = text.lines().next().unwrap_or_default().to_owned();
    if line.is_empty() {
        return Err(StoreError::Usage(format!("{} has no password in its first line", path.display())));
    }
    Ok(line)
}

/// Whose bundles this station takes.
#[derive(Debug, Subcommand)]
pub enum TrustCommand {
    /// Show keys, channel and how many must sign.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Trust a key from now on. Makes the store where there is none.
    Add {
        /// The .pub file, or the key itself.
        #[arg(value_name = "KEY")]
        key: String,
    },
    /// Trust a key no more, whoever brings it back.
    Revoke {
        /// The key's id.
        #[arg(value_name = "ID")]
        id: String,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// How many different keys must have signed a bundle.
    Require {
        /// The number.
        #[arg(value_name = "N", value_parser = clap::value_parser!(u8).range(1..=32))]
        number: u8,
    },
    /// Take bundles of this channel.
    Channel {
        /// The channel's name.
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Set the latest time seen back to the machine's clock: after that clock was once far ahead.
    ResetTime {
        /// Why.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

/// Shows or changes trust.
pub fn trust(command: &TrustCommand, dir: &Path) -> Result<u8, StoreError> {
    let today = time::day_of(now());
    match command {
        TrustCommand::List { json } => return list(&Store::open(dir)?.trust()?, *json),
        TrustCommand::Add { key } => {
            let path = Path::new(key);
            let text = if path.exists() { std::fs::read_to_string(path).map_err(unread(path))? } else { key.clone() };
            let key = PublicKey::parse(&text).map_err(|error| StoreError::Usage(error.to_string()))?;
            let by = act().who;
            change(&Store::open_or_make(dir)?, &format!("trusts key {}", key.id()), "", |trust| {
                trust.add(&key, &today, &by)
            })?;
            println!("key {} is trusted; compare this id with its maker's on another way", key.id());
        }
        TrustCommand::Revoke { id, reason } => {
            let id = id.to_ascii_uppercase();
            if id.len() != 16 || !id.bytes().all(|b| b.is_ascii_hexdigit()) {
                return Err(StoreError::Usage(format!("{id:?} is no key id; 'trust list' shows them")));
            }
            change(&Store::open(dir)?, &format!("revokes key {id}"), reason, |trust| {
                trust.revoke(&id, &today, reason);
                Ok(())
            })?;
            println!("key {id} is revoked");
        }
        TrustCommand::Require { number } => {
            change(&Store::open(dir)?, &format!("asks for {number} signatures"), "", |trust| {
                trust.required = usize::from(*number);
                Ok(())
            })?;
            println!("{number} different keys must have signed");
        }
        TrustCommand::Channel { name } => {
            let plain = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
            if name.is_empty() || name.len() > 64 || !name.chars().all(plain) {
                return Err(StoreError::Usage("a channel is letters, digits, '_', '.' and '-', 64 at most".to_owned()));
            }
            change(&Store::open_or_make(dir)?, &format!("takes channel {name}"), "", |trust| {
                trust.channel.clone_from(name);
                Ok(())
            })?;
            println!("bundles of channel {name} are taken");
        }
        TrustCommand::ResetTime { reason } => {
            let store = Store::open(dir)?;
            store.reset_time(&store.lock()?, &act(), reason)?;
            println!("the latest time seen is {}", time::format(now()));
        }
    }
    Ok(0)
}

fn change(
    store: &Store,
    what: &str,
    why: &str,
    how: impl FnOnce(&mut Trust) -> Result<(), String>,
) -> Result<(), StoreError> {
    let lock = store.lock()?;
    let mut trust = store.trust()?;
    how(&mut trust).map_err(StoreError::Usage)?;
    store.note(&act(), what, None, why)?;
    store.set_trust(&lock, &trust)
}

fn list(trust: &Trust, json: bool) -> Result<u8, StoreError> {
    if json {
        println!("{}", serde_json::json!(trust));
        return Ok(0);
    }
    println!("channel {}, {} of {} keys must have signed", trust.channel, trust.required, trust.keys.len());
    for key in &trust.keys {
        println!("  {} trusted since {} ({})  {}", key.id, key.since, key.by, key.key);
    }
    for key in &trust.revoked {
        println!("  {} revoked on {}: {}", key.id, key.since, key.why);
    }
    Ok(0)
}
