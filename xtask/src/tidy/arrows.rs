//! The table of arrows in ARCHITECTURE.md, held against what cargo knows: who may depend on whom, and where no
//! socket may reach.

use serde_json::Value;

use super::{Complaint, File, line_of, manifest_path, packages};

/// Which members a member may depend on.
struct Arrows {
    member: &'static str,
    /// In what is built.
    to: &'static [&'static str],
    /// In its tests, besides.
    in_tests: &'static [&'static str],
}

const ARROWS: [Arrows; 8] = [
    Arrows { member: "fixtures", to: &[], in_tests: &[] },
    Arrows { member: "mock-server", to: &["fixtures"], in_tests: &["client-core"] },
    Arrows { member: "client-core", to: &["fixtures"], in_tests: &["mock-server"] },
    Arrows { member: "conformance", to: &["fixtures", "mock-server"], in_tests: &[] },
    Arrows {
        member: "shim-core",
        to: &["client-core"],
        in_tests: &["conformance", "fixtures", "mock-server"],
    },
    Arrows { member: "xtask", to: &[], in_tests: &[] },
    Arrows { member: "codegen", to: &[], in_tests: &[] },
    Arrows { member: "bench", to: &["fixtures"], in_tests: &[] },
];

/// A build that must not have some package anywhere below it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tree {
    member: &'static str,
    features: Features,
    without: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Features {
    Default,
    None,
}

/// The pure parts know no sockets, and the tasks build in seconds.
pub(crate) const TREES: [Tree; 4] = [
    Tree { member: "fixtures", features: Features::Default, without: "tokio" },
    Tree { member: "mock-server", features: Features::None, without: "tokio" },
    Tree { member: "client-core", features: Features::None, without: "tokio" },
    Tree { member: "xtask", features: Features::Default, without: "tokio" },
];

impl Tree {
    /// How to ask cargo for it.
    pub(crate) fn arguments(&self) -> Vec<&'static str> {
        let mut arguments = vec!["tree", "--quiet", "--package", self.member];
        arguments.extend([
            "--edges",
            "normal,build",
            "--target",
            "all",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ]);
        if self.features == Features::None {
            arguments.push("--no-default-features");
        }
        arguments
    }
}

/// The direct dependencies of each member.
pub(crate) fn check(metadata: &Value, files: &[File]) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for package in packages(metadata) {
        let path = manifest_path(metadata, package);
        let manifest = files.iter().find(|file| file.path == path).map_or("", |file| file.text.as_str());
        let name = package["name"].as_str().unwrap_or_default();
        let Some(arrows) = ARROWS.iter().find(|arrows| arrows.member == name) else {
            let line = line_of(manifest, "name =");
            let what = format!("`{name}` has no row in the table of arrows: add it there and in {}", file!());
            complaints.push(Complaint::new(&path, line, what));
            continue;
        };
        let dependencies = package["dependencies"].as_array().map_or(&[][..], Vec::as_slice);
        for dependency in dependencies.iter().filter(|dependency| !dependency["path"].is_null()) {
            let to = dependency["name"].as_str().unwrap_or_default();
            let in_tests = dependency["kind"] == "dev";
            if !(arrows.to.contains(&to) || in_tests && arrows.in_tests.contains(&to)) {
                let where_ = if in_tests { ", not even in its tests" } else { "" };
                let what =
                    format!("{name} may not depend on {to}{where_}: see the arrows in ARCHITECTURE.md");
                complaints.push(Complaint::new(&path, line_of(manifest, to), what));
            }
        }
    }
    complaints
}

/// What [`Tree::arguments`] printed: one package a line, its name first.
pub(crate) fn check_tree(tree: Tree, printed: &str) -> Option<Complaint> {
    let found = printed.lines().any(|line| line.split(' ').next() == Some(tree.without));
    let how = if tree.features == Features::None { " --no-default-features" } else { "" };
    found.then(|| {
        let what = format!(
            "{} builds on {}: find the way with `cargo tree -p {}{how} -e normal,build -i {}` and cut it",
            tree.member, tree.without, tree.member, tree.without
        );
        Complaint::new("Cargo.toml", 1, what)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn complaints(member: &str, to: &str, kind: Option<&str>) -> Vec<String> {
        let metadata = json!({"workspace_root": "/w", "packages": [{
            "name": member, "manifest_path": "/w/m/Cargo.toml",
            "dependencies": [
                {"name": to, "kind": kind, "path": format!("/w/{to}")},
                {"name": "serde", "kind": null, "path": null},
            ],
        }]});
        let manifest = format!("[package]\nname = \"{member}\"\n\n[dependencies]\n{to}.workspace = true\n");
        let files = [File { path: "m/Cargo.toml".to_owned(), text: manifest }];
        check(&metadata, &files).iter().map(Complaint::to_string).collect()
    }

    #[rstest]
    #[case("mock-server", "fixtures", None)]
    #[case("mock-server", "client-core", Some("dev"))]
    #[case("shim-core", "mock-server", Some("dev"))]
    fn an_arrow_of_the_table_is_fine(#[case] member: &str, #[case] to: &str, #[case] kind: Option<&str>) {
        assert!(complaints(member, to, kind).is_empty());
    }

    #[rstest]
    #[case("mock-server", "client-core", None)]
    #[case("conformance", "client-core", None)]
    #[case("conformance", "client-core", Some("dev"))]
    #[case("shim-core", "mock-server", None)]
    #[case("bench", "mock-server", None)]
    #[case("xtask", "fixtures", Some("build"))]
    fn any_other_arrow_is_told(#[case] member: &str, #[case] to: &str, #[case] kind: Option<&str>) {
        let found = complaints(member, to, kind);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].starts_with(&format!("m/Cargo.toml:5: {member} may not depend on {to}")),
            "{found:?}"
        );
    }

    #[test]
    fn a_member_that_the_table_does_not_know_is_told() {
        let found = complaints("newcomer", "fixtures", None);
        assert!(found[0].starts_with("m/Cargo.toml:2: `newcomer` has no row"), "{found:?}");
    }

    #[test]
    fn a_socket_in_a_pure_tree_is_told() {
        let [_, pure_server, ..] = TREES;
        assert_eq!(check_tree(pure_server, "mock-server v0.1.0\ntokio-util v0.7.0\nbytes v1.12.0\n"), None);
        let found = check_tree(pure_server, "mock-server v0.1.0\ntokio v1.54.1\n").map(|found| found.what);
        assert!(found.is_some_and(|what| what.contains("-p mock-server --no-default-features")));
    }
}
