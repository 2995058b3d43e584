//! Words to a person on standard error. `eprintln!` panics where that cannot be written (a log on a full disk, a terminal
//! that went away), and a run with files in work must not end for that: what happened stands in report and journal.

/// Like `eprintln!`; words that cannot be written are dropped.
macro_rules! tell {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($words)*);
    }};
}

/// Like `eprint!`; words that cannot be written are dropped.
macro_rules! tell_here {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        let _ = write!(std::io::stderr(), $($words)*);
    }};
}
