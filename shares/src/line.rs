//! A connection that is made when it is needed, dropped when it is lost, and not asked for again and again while the
//! server is away.

use crate::is_lost;
use std::io::{self, ErrorKind};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Ours: how long a server that could not be reached is left in peace; every file that comes meanwhile fails at once.
const PEACE: Duration = Duration::from_secs(30);

/// A connection of kind `C`.
pub(crate) struct Line<C> {
    state: Mutex<State<C>>,
}

struct State<C> {
    connection: Option<C>,
    /// Counts connections: a handle belongs to one.
    generation: u64,
    unreachable: Option<(Instant, ErrorKind, String)>,
}

impl<C> std::fmt::Debug for Line<C> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Line").finish_non_exhaustive()
    }
}

impl<C> Line<C> {
    pub fn new() -> Self {
        Self { state: Mutex::new(State { connection: None, generation: 0, unreachable: None }) }
    }

    fn state(&self) -> MutexGuard<'_, State<C>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a step that lost its connection may be tried once more: not while the server is left in peace.
    pub fn comes_back(&self) -> bool {
        self.state().unreachable.as_ref().is_none_or(|(since, ..)| since.elapsed() > PEACE)
    }

    /// Does `work` on the connection, which `connect` makes where there is none. Of the generation `of` only, where
    /// that is said; which one it was comes back.
    pub fn with<T>(
        &self,
        of: Option<u64>,
        connect: impl FnOnce() -> io::Result<C>,
        work: impl FnOnce(&mut C) -> io::Result<T>,
    ) -> io::Result<(T, u64)> {
        let mut state = self.state();
        if of.is_some_and(|of| of != state.generation || state.connection.is_none()) {
            return Err(crate::error(ErrorKind::ConnectionAborted, "the connection was lost"));
        }
        if state.connection.is_none() {
            if let Some((since, kind, text)) = &state.unreachable
                && since.elapsed() <= PEACE
            {
                return Err(crate::error(*kind, text.clone()));
            }
            match connect() {
                Ok(made) => {
                    state.connection = Some(made);
                    state.generation = state.generation.saturating_add(1);
                    state.unreachable = None;
                }
                Err(error) => {
                    state.unreachable = Some((Instant::now(), error.kind(), error.to_string()));
                    return Err(error);
                }
            }
        }
        let generation = state.generation;
        let Some(connection) = state.connection.as_mut() else {
            return Err(crate::error(ErrorKind::NotConnected, "there is no connection"));
        };
        let done = work(connection);
        if done.as_ref().is_err_and(|error| is_lost(error) || error.kind() == ErrorKind::InvalidData) {
            state.connection = None;
        }
        done.map(|value| (value, generation))
    }

    /// Drops the connection of this generation, if it is still the one.
    pub fn lost(&self, generation: u64) {
        let mut state = self.state();
        if state.generation == generation {
            state.connection = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_connection_is_made_again_and_its_handles_are_void() {
        let line: Line<u32> = Line::new();
        let ((), first) = line.with(None, || Ok(1), |_| Ok(())).unwrap();
        let lost = line.with(Some(first), || Ok(2), |_| Err::<(), _>(ErrorKind::TimedOut.into()));
        assert_eq!(lost.unwrap_err().kind(), ErrorKind::TimedOut);
        assert!(line.with(Some(first), || Ok(2), |_| Ok(())).is_err(), "a handle of the old connection");
        assert_eq!(line.with(None, || Ok(2), |c| Ok(*c)).unwrap().0, 2);
        // A refusal is no loss.
        assert!(line.with(None, || Ok(3), |_| Err::<(), _>(ErrorKind::PermissionDenied.into())).is_err());
        assert_eq!(line.with(None, || Ok(4), |c| Ok(*c)).unwrap().0, 2);
    }

    #[test]
    fn a_server_that_is_away_is_left_in_peace() {
        let line: Line<u32> = Line::new();
        assert!(line.comes_back());
        let away = || Err(ErrorKind::ConnectionRefused.into());
        assert!(line.with(None, away, |_| Ok(())).is_err());
        assert!(!line.comes_back());
        let asked = || -> io::Result<u32> { panic!("asked again") };
        assert_eq!(line.with(None, asked, |_| Ok(())).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    }
}
