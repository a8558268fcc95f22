//! What terraform and OpenTofu would destroy: by a saved plan, or all that a state on this machine holds.
//!
//! Takes the words of an action, gives a question; takes the question, gives what would be lost. Neither program
//! is run, because to show a plan it starts the providers that lie beside it.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::machine::Variables;
use super::{Fate, Loss, Resource, files, plan};
use crate::policy::arguments::Flag;
use crate::policy::matcher::Facts;
use crate::policy::schema::Loses;
use crate::policy::trust::hash_of_content;

/// Programs that read plans and states in this way.
const PROGRAMS: &[&str] = &["terraform", "tofu", "opentofu"];

/// Options that change nothing of what is destroyed. Names are without dashes, of which one and two are the same.
const OPTIONS: &[&str] = &[
    "auto-approve",
    "compact-warnings",
    "input",
    "json",
    "lock",
    "lock-timeout",
    "no-color",
    "parallelism",
];

/// Those of a destroy, besides: what is destroyed is what the state holds.
const OF_DESTROY: &[&str] = &["destroy", "refresh", "var", "var-file"];
/// Those with which it is less, and it is not known what.
const LESS: &[&str] = &["target", "exclude"];

/// The file of settings says where providers come from, as one in the home directory does.
pub(super) const VARIABLES: Variables = Variables {
    of: "TF_",
    harmless: &[
        "TF_CLI_CONFIG_FILE",
        "TF_IN_AUTOMATION",
        "TF_INPUT",
        "TF_PLUGIN_CACHE_DIR",
    ],
    harmless_beginnings: &["TF_LOG", "TF_REGISTRY_", "TF_TOKEN_", "TF_VAR_"],
};

/// How many bytes of a plan or a state are read.
const MOST: u64 = 32 << 20;

/// What is to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// This plan.
    Plan(PathBuf),
    /// The state of a configuration.
    State {
        /// The configuration.
        folder: PathBuf,
        /// What happens to it.
        fate: Fate,
        /// The addresses that are meant; all where there are none.
        only: Vec<String>,
        /// Whether others may be meant, too, or less.
        unsure: bool,
    },
}

impl Ask {
    /// Where it is looked for.
    pub fn place(&self) -> &Path {
        match self {
            Self::Plan(path) | Self::State { folder: path, .. } => path,
        }
    }
}

/// The question for an action; none where it cannot be told what the action would touch.
pub(super) fn of(at: Loses, facts: &Facts<'_>) -> Option<Ask> {
    if !PROGRAMS.contains(&facts.action.program.as_str()) {
        return None;
    }
    let (verb, operands) = facts.arguments.positionals.split_first()?;
    let arguments = &facts.action.arguments;
    if !arguments.iter().all(|word| word.is_known() && !word.glob) {
        return None;
    }
    let mut folder = PathBuf::from(facts.action.cwd.as_deref()?);
    let (before, flags): (Vec<&Flag>, Vec<&Flag>) = {
        let flags = facts.arguments.flags.iter();
        flags.partition(|flag| flag.at < verb.at)
    };
    match before.as_slice() {
        [] => {}
        [flag] if flag.name == "-chdir" => folder.push(&flag.value.as_ref()?.text),
        _ => return None,
    }
    let names: Vec<&str> = flags.iter().map(|flag| bare(&flag.name)).collect();
    let has_only = |lists: &[&[&str]]| {
        let mut names = names.iter();
        names.all(|name| lists.iter().any(|list| list.contains(name)))
    };
    let words: Vec<&str> = operands.iter().map(|one| one.value.text.as_str()).collect();
    let destroys = verb.value.text == "destroy" || names.contains(&"destroy");
    match (at, verb.value.text.as_str(), words.as_slice()) {
        (Loses::Plan, "apply", [file]) if has_only(&[OPTIONS]) => {
            Some(Ask::Plan(folder.join(file)))
        }
        (Loses::State, "apply" | "destroy", []) if destroys => {
            has_only(&[OPTIONS, OF_DESTROY, LESS]).then(|| Ask::State {
                folder,
                fate: Fate::Destroyed,
                only: Vec::new(),
                unsure: LESS.iter().any(|name| names.contains(name)),
            })
        }
        (Loses::State, "state", ["rm", addresses @ ..]) if has_only(&[OPTIONS]) => {
            Some(Ask::State {
                folder,
                fate: Fate::Forgotten,
                only: addresses.iter().map(ToString::to_string).collect(),
                unsure: addresses.is_empty(),
            })
        }
        _ => None,
    }
}

fn bare(name: &str) -> &str {
    name.trim_start_matches('-')
}

/// What would be lost.
pub(super) fn look(ask: &Ask) -> Option<Loss> {
    match ask {
        Ask::Plan(file) => match files::content(file, MOST).ok()? {
            // Nothing is applied, then. If one is made before, the exec gate finds it.
            None => Some(Loss::default()),
            Some(content) => Some(Loss {
                of: vec![hash_of_content(&content)],
                ..Loss::of_resources(plan::read(&content)?.gone)
            }),
        },
        Ask::State {
            folder,
            fate,
            only,
            unsure,
        } => {
            let held = held(folder)?;
            if *unsure && !held.is_empty() {
                return None;
            }
            // An address that finds nothing may be one that is written in another way.
            let finds = |one: &String| held.iter().any(|address| is_below(address, one));
            if !held.is_empty() && !only.iter().all(finds) {
                return None;
            }
            let is_meant =
                |address: &String| only.is_empty() || only.iter().any(|one| is_below(address, one));
            Some(lost(held.into_iter().filter(is_meant).collect(), *fate))
        }
    }
}

/// The loss of resources by their addresses: as many others are another loss.
fn lost(addresses: Vec<String>, fate: Fate) -> Loss {
    if addresses.is_empty() {
        return Loss::default();
    }
    let of = vec![hash_of_content(addresses.join("\n"))];
    let resources = addresses.into_iter();
    let resources = resources.map(|address| Resource { address, fate });
    Loss {
        of,
        ..Loss::of_resources(resources.collect())
    }
}

/// Whether an address is another, or an instance or a part of it.
fn is_below(address: &str, other: &str) -> bool {
    let rest = address.strip_prefix(other);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// The addresses of what the state of a configuration holds; none where the state is not here.
fn held(folder: &Path) -> Option<Vec<String>> {
    let own = folder.join(".terraform");
    // Where it is kept elsewhere, `init` has noted so.
    if files::at(&own.join("terraform.tfstate")).ok()?.is_some() {
        return None;
    }
    let workspace = files::content(&own.join("environment"), 1024).ok()?;
    let workspace = String::from_utf8(workspace.unwrap_or_default()).ok()?;
    let state = match workspace.trim() {
        "" | "default" => folder.join("terraform.tfstate"),
        ".." | "." => return None,
        name if name.contains('/') => return None,
        name => {
            let states = folder.join("terraform.tfstate.d");
            states.join(name).join("terraform.tfstate")
        }
    };
    match files::content(&state, MOST).ok()? {
        None => Some(Vec::new()),
        Some(content) => addresses(&content),
    }
}

/// A state (version 4). A field that is not known may be where another program keeps the resources.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    version: u64,
    #[serde(rename = "terraform_version")]
    _terraform_version: IgnoredAny,
    #[serde(rename = "serial")]
    _serial: IgnoredAny,
    #[serde(rename = "lineage")]
    _lineage: IgnoredAny,
    #[serde(rename = "outputs", default)]
    _outputs: Option<IgnoredAny>,
    resources: Vec<Held>,
    #[serde(rename = "check_results", default)]
    _check_results: Option<IgnoredAny>,
}

/// A resource with all its instances.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Held {
    mode: String,
    #[serde(rename = "provider", default)]
    _provider: IgnoredAny,
    #[serde(rename = "each", default)]
    _each: IgnoredAny,
    #[serde(default)]
    module: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    name: String,
    instances: Vec<Instance>,
}

#[derive(Deserialize)]
struct Instance {
    #[serde(default)]
    index_key: Option<serde_json::Value>,
}

fn addresses(state: &[u8]) -> Option<Vec<String>> {
    let state: State = serde_json::from_slice(state).ok()?;
    if state.version != 4 {
        return None;
    }
    let mut out = Vec::new();
    for held in &state.resources {
        match held.mode.as_str() {
            "managed" => {}
            "data" => continue,
            _ => return None,
        }
        let module = held.module.as_deref().filter(|module| !module.is_empty());
        let module = module.map(|module| format!("{module}."));
        let resource = format!("{}{}.{}", module.unwrap_or_default(), held.kind, held.name);
        out.extend(held.instances.iter().map(|one| match &one.index_key {
            Some(key) => format!("{resource}[{key}]"),
            None => resource.clone(),
        }));
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_read_resource_by_resource() {
        let state = |resources: &str| {
            format!(
                r#"{{"version":4,"terraform_version":"1.11.4","serial":1,"lineage":"x","outputs":{{}},"resources":[{resources}]}}"#
            )
        };
        let text = state(
            r#"{"mode":"data","type":"d","name":"d","instances":[{}]},
            {"mode":"managed","type":"a","name":"b","provider":"p","instances":[{"index_key":0},{"index_key":"x"}]},
            {"module":"module.m","mode":"managed","type":"a","name":"c","instances":[{"schema_version":0}]}"#,
        );
        assert_eq!(
            addresses(text.as_bytes()).unwrap(),
            ["a.b[0]", r#"a.b["x"]"#, "module.m.a.c"]
        );
        assert_eq!(addresses(state("").as_bytes()), Some(Vec::new()));
        let resource = r#"{"mode":"managed","type":"a","name":"b","instances":[]}"#;
        for other in [
            state("").replace(":4", ":3"),
            state("").replace("{}", r#"{}, "Resources": []"#),
            state("").replace("{}", r#"{}, "resources": []"#),
            state("").replace("{}", r#"{}, "encrypted_data": "x""#),
            state("") + "x",
            state(&resource.replace("managed", "other")),
            "{}".to_owned(),
            String::new(),
        ] {
            assert_eq!(addresses(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn a_yes_to_resources_is_none_to_as_many_others() {
        let lost = |names: &[&str]| {
            lost(
                names.iter().map(ToString::to_string).collect(),
                Fate::Destroyed,
            )
        };
        assert!(lost(&["a.b", "a.c"]).covers(&lost(&["a.b", "a.c"])));
        assert!(!lost(&["a.b", "a.c"]).covers(&lost(&["a.b", "a.d"])));
        assert!(lost(&[]).is_none());
    }

    #[test]
    fn an_address_covers_its_instances_and_no_longer_name() {
        for (address, other, is) in [
            ("a.b", "a.b", true),
            ("a.b[0]", "a.b", true),
            ("module.m.a.b", "module.m", true),
            ("a.bc", "a.b", false),
            ("a.b[0]", "a.b[1]", false),
        ] {
            assert_eq!(is_below(address, other), is, "{address} {other}");
        }
    }
}
