use super::lab::lab;

fn is(answer: &str, status: u16) -> bool {
    answer.starts_with(&format!("HTTP/1.1 {status} "))
}

#[tokio::test]
async fn the_port_opens_to_the_token_only() {
    let lab = lab();
    let (host, token) = (format!("127.0.0.1:{}", lab.port()), lab.token());
    let host = ("Host", host.as_str());
    assert!(token.len() >= 32);
    for path in ["/", "/api/status", "/api/openapi.json", "/assets/x.js", "/nothing"] {
        let answer = lab.get(path, &[host]).await;
        assert!(is(&answer, 401), "{path}: {answer}");
        assert!(!answer.contains(&token));
    }
    let wrong = format!("{}0", &token[..token.len() - 1]);
    for wrong in [wrong.as_str(), "", &token[1..], &format!("{token}0")] {
        if wrong == token {
            continue;
        }
        assert!(is(&lab.get(&format!("/?token={wrong}"), &[host]).await, 401));
        let bearer = format!("Bearer {wrong}");
        assert!(is(&lab.get("/api/status", &[host, ("Authorization", &bearer)]).await, 401));
    }
    // A token in the address opens nothing but the page.
    assert!(is(&lab.get(&format!("/api/status?token={token}"), &[host]).await, 401));
    let bearer = format!("Bearer {token}");
    assert!(is(&lab.get("/api/status", &[host, ("Authorization", &bearer)]).await, 200));
}

#[tokio::test]
async fn the_printed_address_leads_to_the_page_by_a_cookie() {
    let lab = lab();
    let host = format!("localhost:{}", lab.port());
    let host = ("Host", host.as_str());
    let answer = lab.get(&format!("/?token={}", lab.token()), &[host]).await;
    assert!(is(&answer, 303), "{answer}");
    assert!(answer.contains("\r\nlocation: /\r\n"), "{answer}");
    let cookie = answer.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    let name = format!("sansim-{}=", lab.port());
    assert!(cookie.starts_with(&name), "{cookie}");
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap();
    let cookies = format!("other=1; {cookie}");
    let page = lab.get("/", &[host, ("Cookie", &cookies)]).await;
    assert!(is(&page, 200), "{page}");
    for rule in [
        "content-security-policy: default-src 'self'",
        "referrer-policy: no-referrer",
        "x-content-type-options: nosniff",
        "cache-control: no-store",
    ] {
        assert!(page.contains(rule), "{rule}: {page}");
    }
}

#[tokio::test]
async fn other_sites_are_refused_even_with_the_cookie() {
    let lab = lab();
    let (port, token) = (lab.port(), lab.token());
    let cookie = format!("sansim-{port}={token}");
    let cookie = ("Cookie", cookie.as_str());
    let own = format!("127.0.0.1:{port}");
    let other_port = format!("http://127.0.0.1:{}", port ^ 1);
    let secure = format!("https://{own}");
    let mixed = format!("http://localhost:{port}");
    for origin in ["http://evil.example", "null", "", &other_port, &secure, &mixed] {
        let answer = lab.get("/api/status", &[("Host", &own), ("Origin", origin), cookie]).await;
        assert!(is(&answer, 403), "{origin}: {answer}");
        let page =
            lab.get(&format!("/?token={token}"), &[("Host", &own), ("Origin", origin)]).await;
        assert!(is(&page, 403), "{origin}");
    }
    let rebound = format!("evil.example:{port}");
    for host in [rebound.as_str(), "127.0.0.1", "localhost", "", &format!("127.0.0.1:{}", port ^ 1)]
    {
        let answer = lab.get("/api/status", &[("Host", host), cookie]).await;
        assert!(is(&answer, 403), "{host}: {answer}");
    }
    let twice = [("Host", own.as_str()), ("Host", "evil.example"), cookie];
    assert!(!is(&lab.get("/api/status", &twice).await, 200));
    let absolute = lab.get("http://evil.example/api/status", &[("Host", &own), cookie]).await;
    assert!(is(&absolute, 403), "{absolute}");
    let origin = format!("http://{own}");
    let answer = lab.get("/api/status", &[("Host", &own), ("Origin", &origin), cookie]).await;
    assert!(is(&answer, 200), "{answer}");
}

#[tokio::test]
async fn the_socket_needs_no_token() {
    let lab = lab();
    assert_eq!(lab.client.status().await.unwrap().lab.name, "lab");
    let pulled = lab.client.pull("/etc/ä b&c").await.unwrap();
    assert_eq!(pulled, "/etc/ä b&c".as_bytes());
    let refused = lab.client.remove_fault("a/b?c").await.unwrap_err().to_string();
    assert_eq!(refused, "there is no rule `a/b?c`");
}
