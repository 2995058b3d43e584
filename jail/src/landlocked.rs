//! Landlock: no path can be opened, made, renamed or run any more, whatever the seccomp filter lets through.
//!
//! Every file-system right that the kernel's ABI knows is handled and none granted; network and scope rights likewise
//! where the ABI has them (Debian 12: ABI 2, file system only; `socket` is denied by seccomp everywhere).

use landlock::{
    ABI, Access, AccessFs, AccessNet, Compatible, LandlockStatus, Ruleset, RulesetAttr, RulesetStatus, Scope,
};

/// The newest ABI whose rights this crate names.
const NEWEST: i32 = 10;

/// Closes this process and all it will fork; gives the ABI in force.
///
/// `at_most` pretends an older kernel (a test does); 0 is a kernel without Landlock.
pub(crate) fn close(at_most: Option<i32>) -> Result<i32, String> {
    let wanted = at_most.unwrap_or(NEWEST).min(NEWEST);
    if wanted < 1 {
        return Err("Landlock is missing".into());
    }
    let status = restrict(ABI::from(wanted)).map_err(|error| format!("Landlock: {error}"))?;
    let LandlockStatus::Available { effective_abi, .. } = status.landlock else {
        return Err("this kernel has no Landlock, or it is not among the active security modules".into());
    };
    // With rights of a newer ABI than the kernel's the status says "partially"; which part is seen from the ABI.
    if status.ruleset == RulesetStatus::NotEnforced || !status.no_new_privs {
        return Err("Landlock did not take effect".into());
    }
    Ok((effective_abi as i32).min(wanted))
}

fn restrict(abi: ABI) -> Result<landlock::RestrictionStatus, landlock::RulesetError> {
    let mut rules = Ruleset::default().set_compatibility(landlock::CompatLevel::BestEffort);
    rules = rules.handle_access(AccessFs::from_all(abi))?;
    let (net, scopes) = (AccessNet::from_all(abi), Scope::from_all(abi));
    if !net.is_empty() {
        rules = rules.handle_access(net)?;
    }
    if !scopes.is_empty() {
        rules = rules.scope(scopes)?;
    }
    rules.create()?.restrict_self()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::ErrorKind::PermissionDenied;

    // Landlock binds a thread: each case closes one of its own. In jails seccomp would end the process before Landlock is
    // asked; here it is asked alone.
    fn closed_thread(at_most: Option<i32>) -> i32 {
        let closed = std::thread::spawn(move || {
            let program = std::env::current_exe().unwrap();
            let open = std::fs::File::open(&program).unwrap();
            let abi = close(at_most).unwrap();
            assert_eq!(std::fs::File::open(&program).unwrap_err().kind(), PermissionDenied);
            assert_eq!(std::fs::read_dir("/").unwrap_err().kind(), PermissionDenied);
            let beside = program.with_extension("never");
            assert_eq!(std::fs::create_dir(&beside).unwrap_err().kind(), PermissionDenied);
            assert_eq!(std::fs::File::create(&beside).unwrap_err().kind(), PermissionDenied);
            assert!(open.metadata().unwrap().len() > 0, "what is open stays open");
            if abi >= 4 {
                let refused = std::net::TcpStream::connect("127.0.0.1:9").unwrap_err();
                assert_eq!(refused.kind(), PermissionDenied);
            }
            abi
        });
        closed.join().unwrap()
    }

    #[test]
    fn no_path_can_be_opened_with_what_the_kernel_has() {
        assert!(closed_thread(None) >= 1);
    }

    #[test]
    fn no_path_can_be_opened_with_the_oldest_landlock() {
        assert_eq!(closed_thread(Some(1)), 1);
        assert_eq!(closed_thread(Some(2)).min(2), closed_thread(None).min(2));
    }

    #[test]
    fn a_kernel_without_landlock_is_refused() {
        assert!(close(Some(0)).is_err());
    }
}
