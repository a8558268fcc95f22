//! What the policy costs at the start: the packs, the search for layers, one lookup. Run by
//! `cargo bench --bench policy`.

use std::hint::black_box;
use std::time::{Duration, Instant};

use kibosh::action::{Action, OnDisk, Opacity, Shown, Value};
use kibosh::policy::discover::Folders;
use kibosh::policy::load::Text;
use kibosh::policy::{Layer, Policy};
use kibosh::syntax::Span;

/// The median time of one run of `work`, of many.
fn median(name: &str, mut work: impl FnMut()) {
    let mut times: Vec<Duration> = (0..2000)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .collect();
    times.sort();
    let middle = times.get(times.len() / 2).copied().unwrap_or_default();
    println!("{name:<44} {:>8.2} µs", middle.as_nanos() as f64 / 1000.0);
}

fn action(program: &str, arguments: &[&str]) -> Action {
    Action {
        program: program.to_owned(),
        path: Value::known(program),
        arguments: arguments.iter().map(|word| Value::known(*word)).collect(),
        environment: Default::default(),
        redirections: Vec::new(),
        payloads: Vec::new(),
        input: None,
        fed_by: Vec::new(),
        via: Vec::new(),
        elsewhere: false,
        cwd: None,
        started_in: None,
        origin: Span { start: 0, end: 0 },
        opacity: Opacity::Known,
        shown: Shown::Start,
        code: Shown::Start,
        on_disk: OnDisk::Nothing,
        by_shell: true,
        unknown: None,
        index: 0,
    }
}

/// One rule of a layer.
fn rule(number: usize) -> String {
    format!(
        "[[rule]]\nid = \"team.rule-{number}\"\neffect = \"confirm\"\n\
         reason = \"what it removes is the only copy\"\ninstead = \"ask for a copy first\"\n\
         match = [{{ program = [\"tool-{number}\"], subcommand = [\"delete\"], flags = [\"-f|--force\"] }}]\n\
         examples = {{ matches = [\"tool-{number} delete -f x\"], passes = [\"tool-{number} list\"] }}\n"
    )
}

fn main() {
    median("Policy::shipped", || {
        black_box(Policy::shipped());
    });
    median("Folders::here", || {
        black_box(Folders::here());
    });
    let folders = Folders::here();
    median("Policy::load, no layers", || {
        black_box(Policy::load(&folders).is_ok());
    });
    for line in [
        &["true"][..],
        &["git", "push"],
        &["rm", "-rf", "x"],
        &["unheard-of", "x"],
    ] {
        let (program, arguments) = line.split_first().unwrap_or((&"", &[]));
        let action = action(program, arguments);
        median(&format!("first lookup of `{}`", line.join(" ")), || {
            let policy = Policy::shipped();
            let described = policy.program(&action.program).is_some();
            black_box(policy.candidates(&action, described).len());
        });
        let policy = Policy::shipped();
        let mut found = 0;
        median(&format!("further lookup of `{}`", line.join(" ")), || {
            let described = policy.program(&action.program).is_some();
            found = black_box(policy.candidates(&action, described).len());
        });
        println!("    {found} candidates");
    }
    let layer = Text {
        layer: Layer::System,
        file: "/etc/kibosh/team.toml".to_owned(),
        text: (0..20).map(rule).collect(),
    };
    median("a layer of 20 rules", || {
        black_box(Policy::of(std::slice::from_ref(&layer), &folders).is_ok());
    });
    median("all classes, decoded", || {
        black_box(Policy::shipped().classes().len());
    });
}
