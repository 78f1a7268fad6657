//! Uploads before their messages, received attachments, downloads, and emojis (clauses send.image.*,
//! send.attachment.*, send.emoji, recv.download*).

use client_core::{
    Attachment, AttachmentUrls, Chat, CommandError, Config, Content, EmojiPart, EmojiTable, Event, Ext,
    Failure, File, HttpMethod, IncomingContent, LocalId, Media, Message, Progress, Received, ServerId,
    UploadWay,
};
use fixtures::wire::{MessageBody, message_body};
use prost::Message as _;
use rstest::rstest;
use serde_json::json;

use crate::stage::{Stage, answer, body_of, chat_meta, config, only, page, text_meta, uplink};

const STORED: &str = r#"{"uri":"http://127.0.0.1:4000/org/app/chatfiles","entities":[
    {"uuid":"0c0ffee0-1111","type":"chatfile","share-secret":"SECRET1"}]}"#;

fn png(bytes: &'static str) -> File {
    File { name: "a b.png".to_owned(), media_type: "image/png".to_owned(), bytes: bytes.into() }
}

const IMAGE: Media = Media::Image { width: 100, height: 50 };

fn send(stage: &mut Stage, file: File, way: UploadWay) -> Result<LocalId, CommandError> {
    let ext = Ext::from_json(json!({ "file_length": 7 })).expect("an object");
    stage.client.send_file(stage.now, Chat::Single, "bob", IMAGE, file, ext, way)
}

fn upload(stage: &mut Stage) -> LocalId {
    send(stage, png("AAAAAAA"), UploadWay::Restricted).expect("a good file")
}

fn sent_content(stage: &mut Stage) -> message_body::Content {
    let meta = uplink(&stage.frames()[0]).meta.expect("a meta");
    let body = MessageBody::decode(meta.payload.expect("a payload")).expect("a body");
    body.contents[0].clone()
}

/// The request is that of the SDK (rest.md A.4, and the capture of "send img").
#[test]
fn a_file_is_uploaded_and_then_sent() {
    let mut stage = Stage::open();
    let local = upload(&mut stage);
    let request = stage.request();
    assert_eq!(
        (request.method, request.url.as_str()),
        (HttpMethod::Post, "http://127.0.0.1:4000/org/app/chatfiles")
    );
    assert_eq!(request.headers, [("restrict-access", "true".to_owned())]);
    assert_eq!(request.bearer.as_deref(), Some("t"));
    let body = request.body.clone().expect("a body");
    let boundary = body.media_type.strip_prefix("multipart/form-data; boundary=").expect("a boundary");
    assert_eq!(
        body_of(&request).expect("a body"),
        format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a b.png\"\r\n\
             Content-Type: image/png\r\n\r\nAAAAAAA\r\n--{boundary}--\r\n"
        )
    );
    let total = body.bytes();
    assert_eq!((body.progress, total), (Progress::Told, body_of(&request).expect("a body").len() as u64));

    for sent in [40, 40, 30, total + 1] {
        stage.handle(Received::HttpProgress { call: request.call, sent });
    }
    let progress = |loaded| Event::UploadProgress { local, loaded, total };
    assert_eq!(stage.events(), [progress(40), progress(total)], "it rises, and ends at the whole");
    stage.http(request.call, 200, STORED);
    let (uuid, secret) = ("0c0ffee0-1111".to_owned(), Some("SECRET1".to_owned()));
    assert_eq!(only(stage.events()), Event::Uploaded { local, uuid, secret });

    let content = sent_content(&mut stage);
    assert_eq!(content.remote_path.as_deref(), Some("http://127.0.0.1:4000/org/app/chatfiles/0c0ffee0-1111"));
    assert_eq!((content.secret_key.as_deref(), content.file_length), (Some("SECRET1"), Some(7)));
    stage.server(answer(local.0, 0, None, 9));
    let server = ServerId(9);
    assert_eq!(stage.events(), [Event::Sent { local, server }, Event::Received { local, server }]);
}

#[test]
fn what_was_taken_has_gone_out_even_if_nobody_told() {
    let mut stage = Stage::open();
    let local = upload(&mut stage);
    let request = stage.request();
    let total = request.body.as_ref().expect("a body").bytes();
    stage.http(request.call, 200, STORED);
    assert_eq!(stage.events()[0], Event::UploadProgress { local, loaded: total, total });
    stage.handle(Received::HttpProgress { call: request.call, sent: 5 });
    assert_eq!(stage.events(), [], "after its end there is no progress");
}

#[test]
fn the_two_steps_of_a_mini_program_leave_the_file_open() {
    let mut stage = Stage::open();
    let local = send(&mut stage, png("A"), UploadWay::Open).expect("a good file");
    let request = stage.request();
    assert_eq!(request.headers, []);
    stage.http(request.call, 200, r#"{"uri":"http://h/c","entities":[{"uuid":"u"}]}"#);
    let uploaded = Event::Uploaded { local, uuid: "u".to_owned(), secret: None };
    assert_eq!(stage.events().pop(), Some(uploaded));
    let content = sent_content(&mut stage);
    assert_eq!((content.remote_path.as_deref(), content.secret_key), (Some("http://h/c/u"), None));
}

#[rstest]
#[case::improper(400, r#"{"error":"content improper","error_description":"improper"}"#, "improper")]
#[case::too_large(413, r#"{"error_description":"Request Entity Too Large"}"#, "Request Entity Too Large")]
#[case::unauthorized(401, r#"{"error_description":"expired"}"#, "expired")]
#[case::not_json(200, "<html>", "expected value at line 1 column 1")]
#[case::no_entity(200, r#"{"uri":"u","entities":[]}"#, "the answer to the upload names no file")]
fn a_refused_upload_sends_no_message(#[case] status: u16, #[case] body: &str, #[case] reason: &str) {
    let mut stage = Stage::open();
    let local = upload(&mut stage);
    let call = stage.request().call;
    stage.http(call, status, body);
    let Event::UploadFailed { local: failed, failure } = only(stage.events()) else { panic!("a failure") };
    assert_eq!((failed, failure.code, failure.message.as_str()), (local, 101, reason));
    assert_eq!(stage.frames(), []);
}

#[test]
fn an_upload_ends_with_the_connection_to_it_with_the_session_or_in_time() {
    let failed = |stage: &mut Stage| match stage.events().remove(0) {
        Event::UploadFailed { local, failure } => (local, failure.code),
        other => panic!("a failure, not {other:?}"),
    };
    let mut stage = Stage::open();
    let local = upload(&mut stage);
    let call = stage.request().call;
    stage.handle(Received::Http { call, answer: Err("reset".to_owned()) });
    assert_eq!(failed(&mut stage), (local, 101));

    let local = upload(&mut stage);
    let call = stage.request().call;
    stage.server(crate::stage::unread(&[]));
    for _ in 0..10 {
        stage.advance(30_000);
        stage.server(crate::stage::unread(&[]));
    }
    assert_eq!((failed(&mut stage), stage.cancelled()), ((local, 101), vec![call]), "five minutes");

    let (first, second) = (upload(&mut stage), upload(&mut stage));
    let call = stage.request().call;
    stage.client.close();
    assert_eq!(stage.cancelled(), [call]);
    let ended = stage.events().into_iter().filter_map(|event| match event {
        Event::UploadFailed { local, .. } => Some(local),
        _ => None,
    });
    assert_eq!(ended.collect::<Vec<_>>(), [first, second]);
}

#[test]
fn files_go_one_after_another_and_hold_up_neither_texts_nor_calls() {
    let mut stage = Stage::open();
    let (first, second) = (upload(&mut stage), upload(&mut stage));
    let call = stage.request().call;
    stage
        .client
        .send(stage.now, Message::new(Chat::Single, "bob", Content::Text("hi".into())))
        .expect("good");
    stage.client.list_contacts(stage.now).expect("logged in");
    assert_eq!((stage.frames().len(), stage.requests().len()), (1, 1));
    stage.http(call, 200, STORED);
    assert!(stage.events().contains(&Event::Uploaded {
        local: first,
        uuid: "0c0ffee0-1111".to_owned(),
        secret: Some("SECRET1".to_owned())
    }));
    let call = stage.request().call;
    stage.http(call, 200, STORED);
    assert!(matches!(stage.events()[1], Event::Uploaded { local, .. } if local == second));
    // Their answers are awaited in the order in which they went out, not in that of their ids.
    assert_eq!(stage.client.next_deadline().map(|at| at.since(stage.now)), Some(15_000));
}

#[test]
fn what_cannot_be_uploaded_says_so() {
    let mut stage = Stage::open();
    let big = File { bytes: vec![0; 40 << 20].into(), ..png("") };
    send(&mut stage, big.clone(), UploadWay::Restricted).expect("room for one");
    let full = CommandError::AttachmentsFull { limit_bytes: 64 << 20 };
    assert_eq!(send(&mut stage, big, UploadWay::Restricted), Err(full), "not for two");
    let odd = File { media_type: "text/plain\r\nX: y".to_owned(), ..png("x") };
    assert!(matches!(send(&mut stage, odd, UploadWay::Restricted), Err(CommandError::BadMediaType { .. })));
    stage.transmits();

    let local = send(&mut stage, png(""), UploadWay::Restricted).expect("it is told as an event");
    let Event::UploadFailed { local: failed, failure: Failure { code, .. } } = only(stage.events()) else {
        panic!("a failure")
    };
    assert_eq!((failed, code), (local, 101), "an empty file");

    stage.client.close();
    stage.transmits();
    stage.events();
    let local = upload(&mut stage);
    let told = only(stage.events());
    assert!(
        matches!(&told, Event::Failed { local: lost, failure } if *lost == local && failure.code == 32),
        "{told:?}"
    );
    assert_eq!(stage.transmits(), []);
}

/// A link that is lost does not end an upload; its message goes out on the next one.
#[test]
fn an_upload_outlives_the_link() {
    let mut stage = Stage::open();
    upload(&mut stage);
    let call = stage.request().call;
    stage.cut();
    stage.http(call, 200, STORED);
    assert_eq!(stage.frames(), []);
    stage.let_in();
    let sends = stage.frames().into_iter().filter(|frame| frame.command == Some(0));
    assert_eq!(sends.count(), 1);
}

fn image_meta(id: u64, path: &str) -> fixtures::wire::Meta {
    let content = message_body::Content {
        r#type: Some(1),
        display_name: Some("x.png".to_owned()),
        remote_path: Some(path.to_owned()),
        secret_key: Some("S".to_owned()),
        file_length: Some(10),
        size: Some(message_body::content::Size { width: Some(100.0), height: Some(50.4) }),
        ..Default::default()
    };
    chat_meta(id, message_body::Type::Chat, vec![content])
}

fn open_with(config: Config) -> Stage {
    let mut stage = Stage::new(config);
    stage.client.login_token(stage.now, "t").expect("a fresh client");
    stage.let_in();
    stage.events();
    stage.frames();
    stage
}

#[rstest]
#[case::ours(AttachmentUrls::Ours, "http://127.0.0.1:4000/a/b.png?em-redirect=true&share-secret=S")]
#[case::as_sent(AttachmentUrls::AsSent, "https://example.test/a/b.png")]
fn a_picture_is_shown_with_its_address(#[case] attachment_urls: AttachmentUrls, #[case] url: &str) {
    let mut stage = open_with(Config { attachment_urls, ..config() });
    stage.server(page("bob", vec![image_meta(1, "https://example.test/a/b.png")], None, true));
    let Event::Message(message) = only(stage.events()) else { panic!("a message") };
    let shown = Attachment {
        media: IMAGE,
        url: url.to_owned(),
        secret: Some("S".to_owned()),
        filename: "x.png".to_owned(),
        bytes: 10,
    };
    assert_eq!(message.content, IncomingContent::Attachment(shown));
}

#[rstest]
#[case::video(2, Some(3000), Media::Video { length_ms: 3000 })]
#[case::audio(4, Some(3), Media::Audio { length_s: 3 })]
#[case::negative(4, Some(-3), Media::Audio { length_s: 0 })]
#[case::file(5, None, Media::File)]
#[case::bare_image(1, None, Media::Image { width: 0, height: 0 })]
fn each_kind_of_file_is_told_apart(#[case] kind: i32, #[case] duration: Option<i32>, #[case] media: Media) {
    let mut stage = Stage::open();
    let content = message_body::Content { r#type: Some(kind), duration, ..Default::default() };
    stage.server(page("bob", vec![chat_meta(1, message_body::Type::Chat, vec![content])], None, true));
    let Event::Message(message) = only(stage.events()) else { panic!("a message") };
    let IncomingContent::Attachment(shown) = message.content else { panic!("an attachment") };
    assert_eq!((shown.media, shown.bytes, shown.secret), (media, 0, None));
}

#[test]
fn a_file_is_fetched_with_its_secret() {
    let mut stage = Stage::open();
    let url = "http://127.0.0.1:4000/org/app/chatfiles/u";
    let call = stage.client.download(stage.now, url, Some("S"), Some("audio/mp3")).expect("logged in");
    let request = stage.request();
    assert_eq!((request.call, request.method, request.url.as_str()), (call, HttpMethod::Get, url));
    assert_eq!(
        request.headers,
        [
            ("x-requested-with", "XMLHttpRequest".to_owned()),
            ("accept", "audio/mp3".to_owned()),
            ("share-secret", "S".to_owned())
        ]
    );
    assert_eq!(request.bearer.as_deref(), Some("t"));
    stage.http_typed(call, 200, Some("image/png"), "bytes");
    let media_type = "image/png".to_owned();
    assert_eq!(only(stage.events()), Event::Downloaded { call, media_type, bytes: "bytes".into() });
}

#[rstest]
#[case::elsewhere("http://example.test/x.png")]
#[case::a_host_that_begins_alike("http://127.0.0.1:40001/x.png")]
fn token_and_secret_go_to_our_own_service_alone(#[case] url: &str) {
    let mut stage = Stage::open();
    stage.client.download(stage.now, url, Some("S"), None).expect("logged in");
    let request = stage.request();
    assert_eq!((request.bearer, request.headers.len()), (None, 2), "{:?}", request.headers);
}

#[rstest]
#[case::refused(401, Some("application/json"))]
#[case::an_error_in_disguise(200, Some("application/json; charset=utf-8"))]
#[case::refused_as_a_picture(404, Some("image/png"))]
fn an_error_is_never_shown_as_the_file(#[case] status: u16, #[case] media_type: Option<&str>) {
    let mut stage = Stage::open();
    let url = "http://127.0.0.1:4000/f";
    let call = stage.client.download(stage.now, url, None, None).expect("logged in");
    stage.requests();
    stage.http_typed(call, status, media_type, r#"{"error_description":"no"}"#);
    let Event::DownloadFailed { call: failed, failure } = only(stage.events()) else { panic!("a failure") };
    assert_eq!((failed, failure.code, failure.message.as_str()), (call, 200, "no"));
}

#[rstest]
#[case::no_permission(403, r#"{"error_description":"chatfile no permission"}"#, 222)]
#[case::forbidden(403, r#"{"error_description":"chatfile no permission!"}"#, 603)]
#[case::its_time_is_over(404, r#"{"error":"file_expired","error_description":"x"}"#, 223)]
#[case::unknown(404, r#"{"error":"resource_not_found"}"#, 200)]
#[case::broken(500, "<html>", 503)]
#[case::another(400, r#"{"error":"file_expired","error_description":"chatfile no permission"}"#, 200)]
fn a_refused_download_has_the_number_of_4x(
    #[case] status: u16,
    #[case] body: &'static str,
    #[case] code: i32,
) {
    let mut stage = Stage::open();
    let call = stage.client.download(stage.now, "http://127.0.0.1:4000/f", None, None).expect("logged in");
    stage.requests();
    stage.http_typed(call, status, None, body);
    let Event::DownloadFailed { call: failed, failure } = only(stage.events()) else { panic!("a failure") };
    assert_eq!((failed, failure.code), (call, code));
}

#[test]
fn known_keys_become_emojis_and_other_texts_stay() {
    let map = [("[):]".to_owned(), "smile.png".to_owned())];
    let emoji = EmojiTable::new("faces/", map).expect("no empty key");
    let mut stage = open_with(Config { emoji, ..config() });
    stage.server(page("bob", vec![text_meta(1, "hi [):]"), text_meta(2, "hi [-]")], None, true));
    let contents: Vec<_> = stage
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Event::Message(message) => Some(message.content),
            _ => None,
        })
        .collect();
    let parts = vec![EmojiPart::Text("hi ".to_owned()), EmojiPart::Emoji("faces/smile.png".to_owned())];
    assert_eq!(contents, [IncomingContent::Emoji(parts), IncomingContent::Text("hi [-]".to_owned())]);
}
