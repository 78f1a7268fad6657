//! The files that a report becomes.

use std::fs;

use conformance::report::files::{prepare, write, write_all};

use super::sample;

#[test]
fn every_kind_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("a/b");
    prepare(&out).expect("made");
    assert!(write_all(&sample::report(), &out).is_empty());
    let mut names: Vec<_> =
        fs::read_dir(&out).expect("read").map(|one| one.expect("one").file_name()).collect();
    names.sort();
    assert_eq!(names, ["junit.xml", "report.html", "report.json"]);
}

#[test]
fn one_that_cannot_be_written_leaves_the_others_be() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("junit.xml");
    fs::create_dir(&path).expect("made");
    let unwritten = write_all(&sample::report(), folder.path());
    let [one] = &unwritten[..] else { panic!("{unwritten:?}") };
    let said = one.to_string();
    assert!(said.starts_with(&format!("the report {} could not be written: ", path.display())), "{said}");
    assert!(folder.path().join("report.json").is_file() && folder.path().join("report.html").is_file());
    assert_eq!(fs::read_dir(folder.path()).expect("read").count(), 3, "half a file was left behind");
}

#[test]
fn of_a_file_that_cannot_be_finished_the_one_before_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("report.json");
    fs::write(&path, "before").expect("written");
    let full = || std::io::Error::from(std::io::ErrorKind::StorageFull);
    let unwritten = write(&path, |out| {
        std::io::Write::write_all(out, b"half")?;
        Err(full())
    });
    let expected = format!(
        "the report {} could not be written: {}; make room there, or name another folder",
        path.display(),
        full()
    );
    assert_eq!(unwritten.map_err(|error| error.to_string()), Err(expected));
    assert_eq!(fs::read_to_string(&path).expect("read"), "before");
    assert_eq!(fs::read_dir(folder.path()).expect("read").count(), 1);
}

#[test]
fn a_folder_that_cannot_be_made_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    fs::write(&file, "").expect("written");
    let said = prepare(&file.join("reports")).expect_err("no folder").to_string();
    assert!(said.ends_with("; is the folder there, and a folder?"), "{said}");
}
