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
