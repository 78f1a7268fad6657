//! docs/in-your-tests.md, held: every piece of code in it stands, line for line, in the example that the page names before
//! it. It never judges the prose between them.

use std::fs;
use std::path::Path;

/// Where a piece of code leaves lines out.
const LEFT_OUT: &str = "// …";

#[test]
fn the_guides_code_is_the_examples_code() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let page = read(&docs.join("in-your-tests.md"));
    let (mut example, mut blocks) = (None, 0);
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(path) = example_of(line) {
            example = Some(docs.join(path));
        }
        if line.starts_with("```") {
            let code: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            let example = example.as_ref().expect("an example is named before its code");
            holds(example, &code);
            blocks += 1;
        }
    }
    // A page that is spelt otherwise would pass in silence.
    assert!(blocks >= 4, "only {blocks} pieces of code were found in the page");
}

/// `[…](../mock-server/…/chat.test.js)`: a link to a file of code.
fn example_of(line: &str) -> Option<&str> {
    let links = line.match_indices("](").map(|(at, mark)| &line[at + mark.len()..]);
    let mut paths = links.filter_map(|rest| rest.split_once(')').map(|(path, _)| path));
    paths.find(|path| [".rs", ".js"].iter().any(|end| path.ends_with(end)))
}

/// Each piece stands in the file, as it is and behind the one before it.
fn holds(example: &Path, code: &[&str]) {
    let text = read(example);
    let lines: Vec<&str> = text.lines().collect();
    let mut from = 0;
    for piece in code.split(|line| line.trim() == LEFT_OUT) {
        let end = piece.iter().rposition(|line| !line.is_empty()).map_or(0, |last| last + 1);
        let piece = &piece[..end];
        assert!(!piece.is_empty(), "{}: a piece of code without a line", example.display());
        let found = lines[from..].windows(piece.len()).position(|there| there == piece);
        let found = found.unwrap_or_else(|| {
            panic!("docs/in-your-tests.md has what {} has not:\n{}", example.display(), piece.join("\n"))
        });
        from += found + piece.len();
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
