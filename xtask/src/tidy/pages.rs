//! Pages for people: links lead somewhere, guides stay short, and the README says the same in both of its languages.
//!
//! It compares what a translation leaves as it is, and never reads the sentences.

use std::collections::BTreeSet;

use super::{Complaint, File};

/// The README as it is written first, and its translations.
const README: &str = "README.md";
const TRANSLATIONS: [&str; 1] = ["README.zh-CN.md"];

/// What one reads on the way to something else.
const GUIDES: [&str; 12] = [
    "docs/run-it.md",
    "docs/write-a-client-shim.md",
    "docs/write-a-scenario.md",
    "docs/gate-ci.md",
    "docs/in-your-tests.md",
    "docs/stage.md",
    "docs/situations.md",
    "docs/causes.md",
    "docs/door.md",
    "docs/traffic.md",
    "docs/record.md",
    "docs/phone-and-https.md",
];
/// Two pages of print.
const GUIDE_LINES_MAX: usize = 120;

pub(super) fn check(files: &[File]) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let named = |path: &str| files.iter().find(|file| file.path == path);
    for guide in GUIDES {
        match named(guide) {
            None => complaints.push(Complaint::new(guide, 1, "this guide is missing")),
            Some(file) => {
                let lines = file.text.lines().count();
                if lines > GUIDE_LINES_MAX {
                    let what = format!(
                        "{lines} lines; a guide has at most {GUIDE_LINES_MAX}, so that it is read whole"
                    );
                    complaints.push(Complaint::new(guide, GUIDE_LINES_MAX + 1, what));
                }
            }
        }
    }
    if let Some(readme) = named(README) {
        for path in TRANSLATIONS {
            match named(path) {
                Some(translation) => complaints.extend(unequal(readme, translation)),
                None => complaints.push(Complaint::new(
                    path,
                    1,
                    format!("the translation of {README} is missing"),
                )),
            }
        }
    }
    for file in files.iter().filter(|file| file.path.ends_with(".md")) {
        complaints.extend(dead_links(file, files));
    }
    complaints
}

/// What a translation shares with its original.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    /// A heading of this depth.
    Heading(usize),
    /// A line of code without its comment.
    Code(String),
    /// A row of a table: how many cells, and the code in them, in any order.
    Row(usize, Vec<String>),
    /// A paragraph or a list item: the code in it, in any order, for another language has another.
    Prose(BTreeSet<String>),
}

fn unequal(original: &File, translation: &File) -> Option<Complaint> {
    let (ours, theirs) = (parts(&original.text), parts(&translation.text));
    for (index, (line, part)) in ours.iter().enumerate() {
        let told = match theirs.get(index) {
            Some((_, other)) if other == part => continue,
            Some((at, other)) => {
                let what = format!(
                    "is not as {}:{line}: there {part:?}, here {other:?}; the two are kept equal",
                    original.path
                );
                Complaint::new(&translation.path, *at, what)
            }
            None => {
                let end = translation.text.lines().count();
                let what = format!("ends before {}:{line} {part:?}; the two are kept equal", original.path);
                Complaint::new(&translation.path, end, what)
            }
        };
        return Some(told);
    }
    theirs.get(ours.len()).map(|(at, part)| {
        let what = format!("{} has no {part:?} here; the two are kept equal", original.path);
        Complaint::new(&translation.path, *at, what)
    })
}

/// The parts of a page, each with its line from 1.
fn parts(text: &str) -> Vec<(usize, Part)> {
    let mut parts: Vec<(usize, Part)> = Vec::new();
    let mut in_code = false;
    // A paragraph and its first line: code in it may go over the end of a line.
    let mut prose: Option<(usize, String)> = None;
    for (index, line) in text.lines().chain([""]).enumerate() {
        let number = index + 1;
        let trimmed = line.trim();
        let item = trimmed.starts_with("- ") || trimmed.starts_with("1. ");
        let other = trimmed.is_empty() || trimmed.starts_with(['#', '|']) || trimmed.starts_with("```");
        let plain = !in_code && !other;
        if let Some((first, text)) = prose.take_if(|_| !plain || item) {
            parts.push((first, Part::Prose(code_in(&text).collect())));
        }
        if plain {
            let (_, text) = prose.get_or_insert_with(|| (number, String::new()));
            text.push_str(trimmed);
            text.push(' ');
        } else if trimmed.starts_with("```") {
            in_code = !in_code;
            parts.push((number, Part::Code(trimmed.to_owned())));
        } else if in_code {
            parts.push((number, Part::Code(without_comment(line).to_owned())));
        } else if trimmed.starts_with('#') {
            parts.push((number, Part::Heading(trimmed.chars().take_while(|c| *c == '#').count())));
        } else if trimmed.starts_with('|') {
            let mut code: Vec<String> = code_in(trimmed).collect();
            code.sort_unstable();
            parts.push((number, Part::Row(trimmed.matches('|').count(), code)));
        }
    }
    parts
}

/// Comments are translated, commands are not.
fn without_comment(line: &str) -> &str {
    let cut = [" # ", " // ", " <!-- "].iter().filter_map(|mark| line.find(mark)).min();
    line[..cut.unwrap_or(line.len())].trim_end()
}

fn code_in(line: &str) -> impl Iterator<Item = String> {
    line.split('`').skip(1).step_by(2).map(str::to_owned)
}

/// Links to files and headings of this repository that are not there.
fn dead_links(file: &File, files: &[File]) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let mut in_code = false;
    for (index, line) in file.text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        for target in links(line) {
            let (path, anchor) = target.split_once('#').map_or((target, None), |(path, id)| (path, Some(id)));
            let full = if path.is_empty() { file.path.clone() } else { beside(&file.path, path) };
            let page = files.iter().find(|other| other.path == full);
            let is_folder = || files.iter().any(|other| other.path.starts_with(&format!("{full}/")));
            let dead = match (page, anchor) {
                (None, _) => !is_folder(),
                (Some(page), Some(anchor)) if page.path.ends_with(".md") => {
                    !anchors(&page.text).contains(anchor)
                }
                (Some(_), _) => false,
            };
            if dead {
                let what = format!("the link {target:?} leads nowhere");
                complaints.push(Complaint::new(&file.path, index + 1, what));
            }
        }
    }
    complaints
}

/// The targets of a line's links that lead into this repository.
fn links(line: &str) -> impl Iterator<Item = &str> {
    let targets = line.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(target, _)| target));
    targets.filter(|target| !target.contains("://") && !target.starts_with("mailto:"))
}

/// A relative path from the folder of a file.
fn beside(file: &str, path: &str) -> String {
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in path.trim_end_matches('/').split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// The names by which hosts of repositories know a page's headings: lower case, blanks as `-`, no punctuation, and a
/// number behind one that is met again.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    let mut in_code = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        let Some(heading) = line.strip_prefix('#').filter(|_| !in_code) else { continue };
        let heading = heading.trim_start_matches('#').trim();
        let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
        let slug: String =
            heading.to_lowercase().chars().filter(kept).map(|c| if c == ' ' { '-' } else { c }).collect();
        let mut name = slug.clone();
        let mut again = 0;
        while !anchors.insert(name.clone()) {
            again += 1;
            name = format!("{slug}-{again}");
        }
    }
    anchors
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.to_owned(), text: text.to_owned() }
    }

    const ORIGINAL: &str = "# A\n\nUse `x` or `y`.\n\n- one\n- two `z`\n\n| a | `b` |\n|---|---|\n\n```sh\nrun it   # now\n```\n";

    #[rstest]
    #[case::a_translation(
        "# 甲\n\n`y` 或 `x`。\n\n- 一\n- `z` 二\n\n| 甲 | `b` |\n|---|---|\n\n```sh\nrun it   # 现在\n```\n",
        None
    )]
    #[case::another_command(
        "# 甲\n\n`y` 或 `x`。\n\n- 一\n- `z` 二\n\n| 甲 | `b` |\n|---|---|\n\n```sh\nrun\n```\n",
        Some(12)
    )]
    #[case::a_missing_item(
        "# 甲\n\n`y` 或 `x`。\n\n- `z` 二\n\n| 甲 | `b` |\n|---|---|\n\n```sh\nrun it\n```\n",
        Some(5)
    )]
    #[case::other_code(
        "# 甲\n\n`y`。\n\n- 一\n- `z` 二\n\n| 甲 | `b` |\n|---|---|\n\n```sh\nrun it\n```\n",
        Some(3)
    )]
    #[case::a_missing_end("# 甲\n\n`y` 或 `x`。\n\n- 一\n- `z` 二\n\n| 甲 | `b` |\n|---|---|\n", Some(9))]
    #[case::something_more(
        "# 甲\n\n`y` 或 `x`。\n\n- 一\n- `z` 二\n\n| 甲 | `b` |\n|---|---|\n\n```sh\nrun it\n```\n\n## 乙\n",
        Some(15)
    )]
    fn a_translation_has_the_same_parts(#[case] translation: &str, #[case] line: Option<usize>) {
        let complaint = unequal(&file(README, ORIGINAL), &file("README.zh-CN.md", translation));
        assert_eq!(complaint.as_ref().map(|complaint| complaint.line), line, "{complaint:?}");
    }

    #[rstest]
    #[case("[a](b.md)", 0)]
    #[case("[a](b.md#a-heading-of-b)", 0)]
    #[case("[a](#here)", 0)]
    #[case("[a](../docs)", 0)]
    #[case("[a](https://example.org/x)", 0)]
    #[case("[a](c.md)", 1)]
    #[case("[a](b.md#nothing)", 1)]
    #[case("[a](c.md) and [b](#nowhere)", 2)]
    fn a_link_leads_somewhere(#[case] text: &str, #[case] dead: usize) {
        let page = file("docs/a.md", &format!("# Here\n\n{text}\n"));
        let files = [file("docs/a.md", "# Here\n"), file("docs/b.md", "# B\n\n## A heading (of `B`)\n")];
        assert_eq!(dead_links(&page, &files).len(), dead);
    }

    #[test]
    fn headings_have_names_as_hosts_make_them() {
        let names = anchors("# One, two\n## 中文 标题\n## Same\n## Same\n```\n# not this\n```\n");
        let expected = ["one-two", "中文-标题", "same", "same-1"];
        assert_eq!(names, expected.map(str::to_owned).into());
    }
}
