//! The walker against every captured frame: `decoded` in each row comes from protobuf.js and the vendor's own
//! schema, so the two decodings share no line of code.

use conformance::dissect::dissect;
use conformance::matching::same;
use mock_server::tape::Direction;
use proptest::prelude::*;
use rstest::rstest;
use serde_json::Value;

#[rstest]
#[case("easemob-websdk-3.0.6")]
#[case("easemob-websdk-3.6.3")]
#[case("easemob-websdk-4.21.1")]
fn agrees_with_the_decoding_beside_each_captured_frame(#[case] sdk: &str) {
    let path = format!("{}/../fixtures/frames/{sdk}.jsonl", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).expect(&path);
    let mut rows = 0;
    for (index, line) in text.lines().enumerate() {
        let row: Value = serde_json::from_str(line).expect("a row is JSON");
        let direction = if row["dir"] == "c2s" { Direction::Up } else { Direction::Down };
        let bytes = unhex(row["hex"].as_str().expect("hex"));
        let mut expected = row["decoded"].clone();
        // The capture's own remark on a frame that has no payload field at all.
        if expected["payload"]["_payloadBytes"] == 0 {
            expected.as_object_mut().expect("an object").remove("payload");
        }
        let tree = dissect(&bytes, direction).unwrap_or_else(|why| panic!("{path}:{}: {why}", index + 1));
        let json = tree.json();
        assert!(same(&json, &expected), "{path}:{} ({})\n{json}\n{expected}", index + 1, row["case"]);
        rows += 1;
    }
    assert!(rows > 200, "{path} has only {rows} rows");
}

#[test]
fn shows_what_the_schema_does_not_have() {
    // MSync{8: 0, 9: CommSyncUL{12: 5}}, then field 8 as text.
    let bytes = [0x40, 0x00, 0x4a, 0x02, 0x60, 0x05, 0x42, 0x01, b'x'];
    let tree = dissect(&bytes[..6], Direction::Up).expect("protobuf");
    assert_eq!(tree.json(), serde_json::json!({"command": "SYNC", "payload": {"?12": "5"}}));
    let tree = dissect(&bytes, Direction::Up).expect("protobuf");
    let misfit = tree.fields.iter().find(|field| !field.fits()).expect("the second command");
    assert_eq!((misfit.label().as_str(), misfit.number), ("command", 8));
}

proptest! {
    #[test]
    fn never_panics_on_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200), up: bool) {
        let direction = if up { Direction::Up } else { Direction::Down };
        if let Ok(tree) = dissect(&bytes, direction) {
            tree.json();
        }
    }

    /// Bytes close to real ones reach deeper than noise does.
    #[test]
    fn never_panics_on_a_mangled_frame(at in 0_usize..160, bit in 0_u32..8, cut in 0_usize..160, up: bool) {
        let mut bytes = unhex(
            "080012320a076f7267236170701205616c6963651a0b656173656d6f622e636f6d2213776562696d5f31373935333839\
             35323939373040004a8e010a8b01088889eaf5b70f12320a076f7267236170701205616c6963651a0b656173656d6f62\
             2e636f6d2213776562696d5f313739353338393532393937301a1b0a076f7267236170701203626f621a0b656173656d\
             6f622e636f6d2801322f080112071205616c6963651a051203626f62221b0800121768656c6c6f20e4bda0e5a5bd20f0\
             9f9880205b2d5f2d5d5800",
        );
        let length = bytes.len();
        bytes[at % length] ^= 1 << bit;
        bytes.truncate(length - cut % length);
        let direction = if up { Direction::Up } else { Direction::Down };
        if let Ok(tree) = dissect(&bytes, direction) {
            tree.json();
        }
    }
}

fn unhex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2) && text.is_ascii(), "{text}");
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex")).collect()
}
