//! Where things lie when nobody says where (XDG base directories; systemd's for services).

use std::path::PathBuf;

/// State that must last: the last report, the signature store.
pub fn state_home() -> PathBuf {
    xdg("XDG_STATE_HOME", ".local/state")
}

/// What may be thrown away.
pub fn cache_home() -> PathBuf {
    xdg("XDG_CACHE_HOME", ".cache")
}

/// The signature store: of the service, of the person, of the machine.
pub fn signature_store() -> PathBuf {
    if let Some(service) = absolute("STATE_DIRECTORY") {
        return service.join("signatures");
    }
    let of_root = absolute("XDG_STATE_HOME").is_none() && rustix::process::geteuid().is_root();
    let state = if of_root { PathBuf::from("/var/lib") } else { state_home() };
    state.join("sallyport").join("signatures")
}

/// The store to use: one that was named must be there; the usual one may be missing.
pub fn signature_store_or(named: Option<PathBuf>) -> Option<PathBuf> {
    named.or_else(|| Some(signature_store()).filter(|dir| dir.exists()))
}

fn xdg(variable: &str, below_home: &str) -> PathBuf {
    absolute(variable)
        .or_else(|| absolute("HOME").map(|home| home.join(below_home)))
        .unwrap_or_else(|| "/var/tmp".into())
}

fn absolute(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute())
}
