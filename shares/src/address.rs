//! Where a share is: a folder's path, `sftp://user@host[:port]/path`, or `smb://[domain;]user@host[:port]/share[/path]`.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};

/// Where a share is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A folder that this machine has, local or mounted.
    Folder(PathBuf),
    /// A server that is reached over SSH; `path` is absolute, or below the account's home where it begins with `~/`.
    Sftp(Server),
    /// A Windows share, spoken to without mounting it; the first component of `path` is the share.
    Smb(Server),
}

/// A server, an account on it, and a path there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// The account.
    pub user: String,
    /// The account's domain (SMB); empty for the server's own accounts.
    pub domain: String,
    /// A name or an address; IPv6 without its brackets.
    pub host: String,
    /// The port, where it is not the usual one.
    pub port: Option<u16>,
    /// The path, without the slash that follows the host, without one at the end.
    pub path: String,
}

impl Address {
    /// Reads what a person wrote. Nothing is unescaped: a `%` is a `%`.
    ///
    /// # Errors
    /// One sentence: what is wrong with it.
    pub fn of(text: &OsStr) -> Result<Self, String> {
        let Some(text) = text.to_str() else { return Ok(Self::Folder(text.into())) };
        match text.split_once("://") {
            Some(("sftp", rest)) => Server::read(rest, "sftp").map(Self::Sftp),
            Some(("smb", rest)) => Server::read(rest, "smb").map(Self::Smb),
            Some((scheme, _)) if !scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_alphanumeric()) => {
                Err(format!("{scheme}:// is no kind of share; there are folders, sftp:// and smb://"))
            }
            Some(_) | None => Ok(Self::Folder(text.into())),
        }
    }

    /// The folder, where it is one of this machine.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Self::Folder(path) => Some(path),
            Self::Sftp(_) | Self::Smb(_) => None,
        }
    }

    /// The address of something below it, for a person.
    #[must_use]
    pub fn join(&self, path: &str) -> String {
        format!("{self}/{path}")
    }
}

impl Server {
    fn read(text: &str, scheme: &str) -> Result<Self, String> {
        let refuse = |what: &str| Err(format!("{scheme}://{text}: {what}"));
        let Some((authority, path)) = text.split_once('/') else { return refuse("a path must follow the host") };
        let path = path.trim_end_matches('/').to_owned();
        if path.is_empty() {
            return refuse("a path must follow the host");
        }
        if path.split('/').any(|part| part.is_empty() || part == "." || part == "..") {
            return refuse("the path must not hold `//`, `.` or `..`");
        }
        let Some((account, place)) = authority.rsplit_once('@') else {
            return refuse("an account must be named: user@host");
        };
        if account.contains(':') {
            return Err(format!("{scheme}://…@{place}: a password never stands in an address; see docs/shares.md"));
        }
        let (domain, user) = account.split_once(';').unwrap_or(("", account));
        let (host, port) = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, "")) => (host, None),
            Some((host, rest)) => (host, rest.strip_prefix(':')),
            None => place.rsplit_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
        };
        let port = match port.map(str::parse::<u16>) {
            None => None,
            Some(Ok(port)) if port > 0 => Some(port),
            Some(_) => return refuse("the port must be a number from 1 to 65535"),
        };
        let odd = |word: &str| word.starts_with('-') || word.contains(|c: char| c.is_control() || c.is_whitespace());
        if user.is_empty() || host.is_empty() || [user, host, domain].into_iter().any(odd) || path.contains('\0') {
            return refuse("account and host must be plain words");
        }
        Ok(Self { user: user.into(), domain: domain.into(), host: host.into(), port, path })
    }

    /// Host and port as a client wants them.
    pub(crate) fn host_port(&self, usual: u16) -> String {
        let port = self.port.unwrap_or(usual);
        if self.host.contains(':') { format!("[{}]:{port}", self.host) } else { format!("{}:{port}", self.host) }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => path.display().fmt(out),
            Self::Sftp(server) => write!(out, "sftp://{server}"),
            Self::Smb(server) => write!(out, "smb://{server}"),
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.domain.is_empty() {
            write!(out, "{};", self.domain)?;
        }
        match (self.host.contains(':'), self.port) {
            (true, None) => write!(out, "{}@[{}]/{}", self.user, self.host, self.path),
            (true, Some(port)) => write!(out, "{}@[{}]:{port}/{}", self.user, self.host, self.path),
            (false, None) => write!(out, "{}@{}/{}", self.user, self.host, self.path),
            (false, Some(port)) => write!(out, "{}@{}:{port}/{}", self.user, self.host, self.path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Address, String> {
        Address::of(OsStr::new(text))
    }

    #[test]
    fn an_address_is_read_and_written_back() {
        for text in [
            "/srv/out",
            "out:1",
            "sftp://station@files.plant/incoming",
            "sftp://station@[::1]:2222/~/in",
            "smb://PLANT;station@files:4455/outbound/line 3",
        ] {
            assert_eq!(of(text).unwrap().to_string(), text);
        }
        let Address::Smb(server) = of("smb://PLANT;station@files:4455/outbound/x/").unwrap() else { panic!() };
        assert_eq!((&*server.domain, &*server.user, &*server.host), ("PLANT", "station", "files"));
        assert_eq!((server.port, &*server.path), (Some(4455), "outbound/x"));
    }

    #[test]
    fn what_is_no_address_is_refused_and_a_password_is_not_repeated() {
        for text in [
            "ftp://a@b/c",
            "sftp://host/path",
            "sftp://user@host",
            "sftp://user@host/",
            "sftp://user@host/a/../b",
            "sftp://-oProxyCommand=x@host/a",
            "sftp://user@-oProxyCommand=x/a",
            "sftp://user@host:0/a",
            "sftp://user@host:70000/a",
            "smb://@host/a",
        ] {
            assert!(of(text).is_err(), "{text}");
        }
        let told = of("smb://user:hunter2@host/a").unwrap_err();
        assert!(!told.contains("hunter2"), "{told}");
    }
}
