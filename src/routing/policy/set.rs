//! The policies in force side by side: the national one, and those of territories and departments laid over it.

use std::sync::Arc;

use super::digest::{canonical, stamped};
use super::problem::{PolicyProblem, PolicyProblems};
use super::read::read;
use super::tree::{Node, Tree, parse};
use super::{NATIONAL_FILE, NATIONAL_TOML, Policy};
use crate::domain::department::Department;
use crate::domain::id::TerritoryId;
use crate::domain::policy::PolicyDocument;
use crate::domain::query::CareQuery;

/// Keys that say whose file it is, and are no part of a policy.
const SCOPE_KEYS: [&str; 4] = ["territory", "department", "based_on", "disabled"];

/// For whom a policy is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PolicyScope {
    /// Whoever has no other.
    National,
    /// Patients of a territory.
    Territory(TerritoryId),
    /// Patients in a department, when their territory has none.
    Department(Department),
}

/// A policy with its scope and its text as it is in force.
#[derive(Clone, PartialEq, Debug)]
pub struct ScopedPolicy {
    /// For whom.
    pub scope: PolicyScope,
    /// The policy.
    pub policy: Arc<Policy>,
    /// What its file says itself, comments aside.
    pub stated: toml::Value,
    /// The whole of it as TOML, comments aside.
    pub effective: toml::Value,
}

/// The policies in force; at least the national one.
#[derive(Clone, PartialEq, Debug)]
pub struct PolicySet {
    national: ScopedPolicy,
    others: Vec<ScopedPolicy>,
    version: Arc<str>,
}

/// A file after it was parsed: its tree and whose it is.
struct Parsed {
    root: Node,
    scope: Option<PolicyScope>,
}

impl PolicySet {
    /// Reads files: at most one without a scope, which replaces the national policy that ships, and those of territories
    /// and departments.
    ///
    /// # Errors
    /// With everything that is wrong in any of them, in order of file and line.
    pub fn load(files: &[PolicyDocument]) -> Result<Self, PolicyProblems> {
        let mut problems = Vec::new();
        let mut parsed: Vec<Parsed> = files.iter().map(|file| Parsed::of(file, &mut problems)).collect();
        if !parsed.iter().any(|file| file.scope == Some(PolicyScope::National)) {
            let shipped = PolicyDocument { name: NATIONAL_FILE.into(), text: NATIONAL_TOML.into() };
            parsed.insert(0, Parsed::of(&shipped, &mut problems));
        }
        check_scopes(&parsed, &mut problems);
        let base = parsed.iter().find(|file| file.scope == Some(PolicyScope::National)).map(|file| file.root.clone());
        let mut all = Vec::new();
        for Parsed { root, scope } in parsed {
            let (Some(base), Some(scope)) = (&base, scope) else { continue };
            let stated = root.to_value();
            let tree = if scope == PolicyScope::National { root } else { laid_over(base, root, &mut problems) };
            match read(&tree) {
                Ok(policy) => all.push(ScopedPolicy::new(scope, policy, stated, tree.to_value())),
                Err(found) => problems.extend(found),
            }
        }
        let national = all.iter().position(|one| one.scope == PolicyScope::National).map(|at| all.remove(at));
        problems.sort();
        problems.dedup();
        match national {
            Some(national) if problems.is_empty() => {
                let version = version_of(&national, &all);
                Ok(Self { national, others: all, version })
            }
            Some(_) | None => Err(PolicyProblems(problems)),
        }
    }

    /// A set of one policy, for everybody.
    #[must_use]
    pub fn of(policy: Arc<Policy>) -> Self {
        let version = Arc::clone(&policy.version);
        let (stated, effective) = (toml::Value::Table(toml::Table::new()), toml::Value::Table(toml::Table::new()));
        let national = ScopedPolicy { scope: PolicyScope::National, policy, stated, effective };
        Self { national, others: Vec::new(), version }
    }

    /// Version of all of them together: that of the national one when there is no other.
    #[must_use]
    pub const fn version(&self) -> &Arc<str> {
        &self.version
    }

    /// The policy of whoever has no other.
    #[must_use]
    pub const fn national(&self) -> &Arc<Policy> {
        &self.national.policy
    }

    /// All of them, the national one first.
    pub fn all(&self) -> impl Iterator<Item = &ScopedPolicy> {
        std::iter::once(&self.national).chain(&self.others)
    }

    /// The policy of a query: of the patient's territory, else of the department that the query states, else the national
    /// one. A department that was only estimated from a position chooses nothing.
    #[must_use]
    pub fn of_query(&self, query: &CareQuery) -> &Arc<Policy> {
        let parts = query.parts();
        self.of_territory(parts.territories.first().copied(), parts.department)
    }

    /// The policy of a territory, else of a department, else the national one.
    #[must_use]
    pub fn of_territory(&self, territory: Option<TerritoryId>, department: Option<Department>) -> &Arc<Policy> {
        let with = |scope: PolicyScope| self.others.iter().find(|one| one.scope == scope);
        let of_territory = territory.and_then(|own| with(PolicyScope::Territory(own)));
        let of_department = || department.and_then(|department| with(PolicyScope::Department(department)));
        &of_territory.or_else(of_department).unwrap_or(&self.national).policy
    }
}

impl ScopedPolicy {
    fn new(scope: PolicyScope, mut policy: Policy, stated: toml::Value, effective: toml::Value) -> Self {
        policy.version = stamped(&policy.name, &canonical(&effective));
        Self { scope, policy: Arc::new(policy), stated, effective }
    }

    /// Whether another policy is for the same patients and has the same name, and says something else.
    #[must_use]
    pub fn is_mistakable_for(&self, other: &Self) -> bool {
        self.scope == other.scope && self.policy.name == other.policy.name && self.stated != other.stated
    }
}

/// The version of policies together.
fn version_of(national: &ScopedPolicy, others: &[ScopedPolicy]) -> Arc<str> {
    if others.is_empty() {
        return Arc::clone(&national.policy.version);
    }
    let mut versions: Vec<_> =
        others.iter().map(|other| format!("{:?} {}", other.scope, other.policy.version)).collect();
    versions.sort();
    versions.insert(0, national.policy.version.to_string());
    stamped(&national.policy.name, &versions.join("\n"))
}

impl Parsed {
    fn of(file: &PolicyDocument, problems: &mut Vec<PolicyProblem>) -> Self {
        let (root, found) = parse(&file.name, &file.text);
        problems.extend(found);
        let scope = scope_of(&root, problems);
        Self { root, scope }
    }
}

/// Whose file it is; `None` when it says so wrongly.
fn scope_of(root: &Node, problems: &mut Vec<PolicyProblem>) -> Option<PolicyScope> {
    let mut refuse = |key: &str, message: String| {
        let place = root.get(key).map_or(&root.place, |entry| &entry.place).clone();
        problems.push(PolicyProblem { place, path: key.to_owned(), message });
    };
    match (root.get("territory"), root.get("department")) {
        (None, None) => Some(PolicyScope::National),
        (Some(_), Some(_)) => {
            refuse("department", "a file is of a territory or of a department: remove one of both".to_owned());
            None
        }
        (Some(_), None) => match root.text("territory").map(TerritoryId::parse) {
            Some(Ok(checked)) => Some(PolicyScope::Territory(checked.value)),
            Some(Err(error)) => {
                refuse("territory", error.to_string());
                None
            }
            None => {
                refuse("territory", "give the FINESS number of a CPTS between quotes".to_owned());
                None
            }
        },
        (None, Some(_)) => match root.text("department").map(Department::parse) {
            Some(Ok(department)) => Some(PolicyScope::Department(department)),
            Some(Err(error)) => {
                refuse("department", error.to_string());
                None
            }
            None => {
                refuse("department", "give the code of a department between quotes".to_owned());
                None
            }
        },
    }
}

/// Two files may not be for the same patients.
fn check_scopes(parsed: &[Parsed], problems: &mut Vec<PolicyProblem>) {
    for (at, file) in parsed.iter().enumerate() {
        let earlier = parsed.iter().take(at).find(|other| other.scope.is_some() && other.scope == file.scope);
        if let Some(other) = earlier {
            problems.push(PolicyProblem {
                place: file.root.place.clone(),
                path: String::new(),
                message: format!("is for the same patients as {}: give one of both", other.root.place.file),
            });
        }
    }
}

/// A territory's file laid over the national one.
fn laid_over(base: &Node, mut over: Node, problems: &mut Vec<PolicyProblem>) -> Node {
    let mut refuse = |node: &Node, path: &str, message: String| {
        problems.push(PolicyProblem { place: node.place.clone(), path: path.to_owned(), message });
    };
    let national = base.text("version").unwrap_or_default();
    for key in ["version", "format"] {
        if over.get(key).is_none() {
            refuse(&over, key, format!("missing: every file has its own {key}"));
        }
    }
    if let (Some(version), Some(entry)) = (over.text("version"), over.get("version"))
        && version == national
    {
        refuse(&entry.node, "version", "is the version of the national policy: choose another".to_owned());
    }
    if let Some(entry) = over.get("based_on")
        && over.text("based_on") != Some(national)
    {
        refuse(
            &entry.node,
            "based_on",
            format!("the national policy is `{national}`: check what differs, then name that"),
        );
    }
    let known: Vec<String> = ids(base);
    let disabled: Vec<Node> = over.list("disabled").to_vec();
    let mut base = base.clone();
    for (at, node) in disabled.iter().enumerate() {
        let path = format!("disabled[{at}]");
        let Tree::Text(id) = &node.tree else {
            refuse(node, &path, "give the id of a rule between quotes".to_owned());
            continue;
        };
        if known.contains(id) {
            base.without_rules(&[id]);
        } else {
            let nearest = known.iter().min_by_key(|known| strsim::osa_distance(id, known));
            let nearest = nearest.map(String::as_str).unwrap_or_default();
            let shown: String = id.chars().filter(|c| !c.is_control()).take(64).collect();
            refuse(node, &path, format!("no rule has the id `{shown}`; nearest known: {nearest}"));
        }
    }
    SCOPE_KEYS.iter().for_each(|key| over.remove(key));
    base.under(over)
}

/// The ids of all rules of a tree.
fn ids(root: &Node) -> Vec<String> {
    let lists = ["red_flag", "delay", "modality"];
    let all = lists.iter().flat_map(|list| root.list(list));
    all.filter_map(|rule| rule.text("id").map(str::to_owned)).collect()
}
