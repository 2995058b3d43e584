//! How the station signs in to the server that its outbound share is on. Secrets stand in files of their own.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The outbound share, where it is on a server that the station speaks to itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SharePolicy {
    /// SFTP: the OpenSSH client.
    pub ssh: PathBuf,
    /// SFTP: the station's private key, without a passphrase, for nobody else to read.
    pub key: Option<PathBuf>,
    /// SFTP: the server's host keys; a key that does not stand there is refused.
    pub known_hosts: Option<PathBuf>,
    /// SMB: a file for nobody else to read whose first line is the password.
    pub password_file: Option<PathBuf>,
    /// How long the server may be silent in the middle of a step before the connection is held for lost.
    pub seconds: u32,
}

impl Default for SharePolicy {
    fn default() -> Self {
        // A server that wakes a sleeping disk takes some ten seconds.
        Self { ssh: "/usr/bin/ssh".into(), key: None, known_hosts: None, password_file: None, seconds: 30 }
    }
}
