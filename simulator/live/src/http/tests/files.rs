use super::lab::lab;

#[tokio::test]
async fn the_capture_is_a_file_of_the_lab() {
    let lab = lab();
    let host = format!("127.0.0.1:{}", lab.port());
    let bearer = format!("Bearer {}", lab.token());
    let headers = [("Host", host.as_str()), ("Authorization", bearer.as_str())];
    let none = lab.get("/api/capture.pcapng", &headers).await;
    assert!(none.starts_with("HTTP/1.1 404") && none.contains("nothing has been captured"));
    std::fs::write(lab.directory().join("capture.pcapng"), "packets").unwrap();
    let some = lab.get("/api/capture.pcapng", &headers).await;
    assert!(
        some.contains("\r\ncontent-length: 7\r\n") && some.ends_with("\r\n\r\npackets"),
        "{some}"
    );
}

#[tokio::test]
async fn files_are_named_from_the_root() {
    let lab = lab();
    for path in ["", "etc/passwd", "../x"] {
        let refused = lab.client.pull(path).await.unwrap_err().to_string();
        assert_eq!(refused, "`path` must be the path of a file, from the root");
        assert!(lab.client.push(path, Vec::new()).await.is_err());
    }
    let large = "/".to_owned() + &"x".repeat(40_000);
    assert_eq!(lab.client.pull(&large).await.unwrap().len(), large.len());
}
