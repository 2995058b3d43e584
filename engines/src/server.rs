//! The side that runs in a scan jail: rules are loaded once, then objects come in and answers go out. Pure functions
//! over bytes; descriptors and pipes are the jail's affair.

use crate::{Answer, EngineError, Home, Request, descriptor, encode};
use model::Untrusted;

/// An engine with its rules in memory.
pub trait Resident: Send {
    /// How many rules are loaded.
    fn rule_count(&self) -> u32;

    /// Looks at one byte string for at most `timeout_secs`.
    fn scan(&self, object: Untrusted<'_>, timeout_secs: u32) -> Answer;
}

/// One engine in one jail.
pub struct Server {
    id: &'static str,
    resident: Box<dyn Resident>,
}

impl Server {
    /// Loads `compiled` into the engine that `setup` names. Call it only after the jail's filters are closed.
    ///
    /// # Errors
    /// [`EngineError`] where there is no such engine or the rules can't be loaded: the jail then ends, it does not
    /// serve.
    pub fn start(setup: &[u8], compiled: &[u8]) -> Result<Self, EngineError> {
        let unknown = || EngineError::Unknown { name: String::from_utf8_lossy(setup).into_owned() };
        let found = std::str::from_utf8(setup).ok().and_then(descriptor).ok_or_else(unknown)?;
        match found.home {
            Home::ScanJail { load, .. } => Ok(Self { id: found.id, resident: load(compiled)? }),
            Home::Station { .. } | Home::Outside { .. } | Home::Facts { .. } => Err(unknown()),
        }
    }

    /// What the jail reports once it is ready: name of the engine, a blank, number of rules.
    #[must_use]
    pub fn ready(&self) -> Vec<u8> {
        format!("{} {}", self.id, self.resident.rule_count()).into_bytes()
    }

    /// Serves one request ([`Request::encode`]) about `object` and returns an encoded [`Answer`].
    #[must_use]
    pub fn serve(&self, request: &[u8], object: &[u8]) -> Vec<u8> {
        let answer = match Request::decode(request) {
            Ok(request) => self.scan(&request, object),
            Err(error) => Answer::not_scanned(&format!("bad request: {error}"), Vec::new(), 0),
        };
        encode(&answer)
    }

    fn scan(&self, request: &Request, object: &[u8]) -> Answer {
        let here = object.len() as u64;
        if here != request.len {
            // A window that is too small must not be scanned and called whole.
            let why = format!("object has {here} bytes, announced were {}", request.len);
            return Answer::not_scanned(&why, Vec::new(), 0);
        }
        self.resident.scan(Untrusted::new(object), request.timeout_secs).about(request.len)
    }
}
