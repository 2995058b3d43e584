//! `sallyport doctor`: what it says and how it ends.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

mod common;

use common::World;
use serde_json::Value;

fn doctor(world: &World, more: &[&str]) -> (Option<i32>, Value) {
    let out = world.sallyport().args(["doctor", "--json"]).args(more).output().unwrap();
    let said = serde_json::from_slice(&out.stdout).unwrap_or(Value::Null);
    (out.status.code(), said)
}

fn state<'a>(said: &'a Value, what: &str) -> &'a str {
    let checks = said["checks"].as_array().unwrap();
    checks.iter().find(|check| check["what"] == what).map_or("missing", |check| check["state"].as_str().unwrap())
}

#[test]
fn a_station_that_is_well_says_so_and_names_its_canaries_and_engines() {
    let world = World::new();
    let (code, said) = doctor(&world, &["--out", world.out().to_str().unwrap()]);
    assert_eq!(code, Some(0), "{said}");
    for what in ["sandbox", "canary eicar.com", "canary eicar-in-zip-in-zip.zip", "canary macro.docm"] {
        assert_eq!(state(&said, what), "well", "{said}");
    }
    for what in ["canary javascript.pdf", "canary bomb.png", "canary polyglot.pdf", "engine yara", "engine hashes"] {
        assert_eq!(state(&said, what), "well", "{said}");
    }
    for what in ["journal", "share", "clock"] {
        assert_eq!(state(&said, what), "well", "{said}");
    }
}

#[test]
fn a_share_that_cannot_be_written_is_a_fault_and_a_policy_that_is_none_is_refused() {
    let world = World::new();
    std::fs::write(world.at("file"), b"").unwrap();
    let (code, said) = doctor(&world, &["--out", world.at("file").join("x").to_str().unwrap()]);
    assert_eq!((code, state(&said, "share")), (Some(3), "broken"), "{said}");
    let policy = world.at("policy.toml");
    std::fs::write(&policy, "zone = \"plant\"\ntypo = 1\n").unwrap();
    assert_eq!(doctor(&world, &["--policy", policy.to_str().unwrap()]).0, Some(2));
}

#[test]
fn an_engine_that_policy_requires_and_that_is_not_there_puts_the_station_out_of_order() {
    let world = World::new();
    let policy = world.at("policy.toml");
    let socket = world.at("nobody.sock");
    let text = format!(
        "zone = \"plant\"\n[engines]\nrequired = [\"yara\", \"clamd\"]\n[engines.clamd]\nsocket = {:?}\n[formats.txt]\n",
        socket.to_str().unwrap()
    );
    std::fs::write(&policy, text).unwrap();
    let (code, said) = doctor(&world, &["--policy", policy.to_str().unwrap()]);
    assert_eq!(code, Some(3), "{said}");
    assert_eq!(state(&said, "engine clamd"), "broken", "{said}");
}

#[test]
fn old_rules_end_with_the_status_of_a_policy_that_says_no() {
    let world = World::new();
    let policy = world.at("policy.toml");
    std::fs::write(
        &policy,
        "zone = \"plant\"\n[engines]\nmax_rule_age = \"0 days\"\nstale = \"hold\"\n[formats.txt]\n",
    )
    .unwrap();
    let (code, said) = doctor(&world, &["--policy", policy.to_str().unwrap()]);
    let text = |what: &str| {
        let checks = said["checks"].as_array().unwrap();
        checks.iter().find(|check| check["what"] == what).unwrap()["text"].as_str().unwrap().to_owned()
    };
    // Rules that were written today are not old.
    let today = text("clock")[..10].to_owned();
    let expected = if text("engine yara").contains(&today) { (Some(0), "well") } else { (Some(1), "refused") };
    assert_eq!((code, state(&said, "engine yara")), expected, "{said}");
}
