//! Manifests take the workspace's lints, and every dependency is accounted for in ARCHITECTURE.md.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Complaint, File, line_of, manifest_path, packages};

const ARCHITECTURE: &str = "ARCHITECTURE.md";

/// All members' manifests.
pub(crate) fn check(metadata: &Value, files: &[File]) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let text_of = |path: &str| files.iter().find(|file| file.path == path).map(|file| file.text.as_str());
    let Some(architecture) = text_of(ARCHITECTURE) else {
        return vec![Complaint::new(
            ARCHITECTURE,
            1,
            "is missing: it names each dependency and why it is there",
        )];
    };
    // A dependency that several members share is told once.
    let mut unnamed = BTreeMap::new();
    for package in packages(metadata) {
        let path = manifest_path(metadata, package);
        let text = text_of(&path).unwrap_or_default();
        if !inherits_lints(text) {
            let what = "does not take the workspace's lints: add `[lints]` with `workspace = true`";
            complaints.push(Complaint::new(&path, 1, what));
        }
        for name in foreign_dependencies(package) {
            if !architecture.contains(&format!("`{name}`")) {
                unnamed.entry(name.to_owned()).or_insert_with(|| (path.clone(), line_of(text, name)));
            }
        }
    }
    complaints.extend(unnamed.into_iter().map(|(name, (path, line))| {
        let what = format!(
            "needs `{name}`, which {ARCHITECTURE} does not name: say there why it is worth its build"
        );
        Complaint::new(&path, line, what)
    }));
    complaints
}

fn inherits_lints(manifest: &str) -> bool {
    let mut lines = manifest.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.any(|line| line == "[lints]") && lines.next() == Some("workspace = true")
}

/// What does not lie in this workspace.
fn foreign_dependencies(package: &Value) -> impl Iterator<Item = &str> {
    let all = package["dependencies"].as_array().map_or(&[][..], Vec::as_slice);
    all.iter()
        .filter(|dependency| dependency["path"].is_null())
        .filter_map(|dependency| dependency["name"].as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn complaints(architecture: &str, manifest: &str) -> Vec<String> {
        let metadata = json!({"workspace_root": "/w", "packages": [{
            "name": "a", "manifest_path": "/w/a/Cargo.toml",
            "dependencies": [{"name": "serde", "path": null}, {"name": "b", "path": "/w/b"}],
        }]});
        let file = |path: &str, text: &str| File { path: path.to_owned(), text: text.to_owned() };
        let files = [file(ARCHITECTURE, architecture), file("a/Cargo.toml", manifest)];
        check(&metadata, &files).iter().map(Complaint::to_string).collect()
    }

    const MANIFEST: &str = "[dependencies]\nserde = \"1\"\n\n[lints]\nworkspace = true\n";

    #[test]
    fn a_named_dependency_and_inherited_lints_are_fine() {
        assert!(complaints("- `serde` reads JSON", MANIFEST).is_empty());
    }

    #[test]
    fn a_dependency_must_be_named_as_a_whole() {
        let found = complaints("- `serde_json` is another", MANIFEST);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("a/Cargo.toml:2: needs `serde`"), "{found:?}");
    }

    #[test]
    fn a_manifest_without_the_lints_is_told() {
        let found = complaints("`serde`", "[dependencies]\nserde = \"1\"\n\n[lints]\nrust = {}\n");
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("lints"), "{found:?}");
    }
}
