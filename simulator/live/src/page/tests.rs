use std::collections::BTreeSet;

use axum::{
    extract::Path,
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH},
    },
};

use super::{asset, assets::ASSETS, document::document, tag};

/// The files of `page/`, by name.
fn files() -> BTreeSet<String> {
    std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/page"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

/// What follows each `before` in a text, up to the next `end`.
fn after<'a>(text: &'a str, before: &str, end: char) -> Vec<&'a str> {
    text.split(before).skip(1).filter_map(|rest| rest.split(end).next()).collect()
}

fn names() -> BTreeSet<String> {
    ASSETS.iter().map(|asset| asset.name.to_owned()).collect()
}

#[test]
fn every_file_of_the_page_is_an_asset() {
    assert_eq!(names(), files());
}

#[test]
fn the_page_is_small() {
    let bytes: usize = ASSETS.iter().map(|asset| asset.text.len()).sum();
    assert!(bytes <= 200_000, "the assets have {bytes} bytes");
}

#[test]
fn the_document_refers_to_assets_that_are_there() {
    let document = document().into_string();
    let mut referred = after(&document, "href=\"", '"');
    referred.extend(after(&document, "src=\"", '"'));
    assert!(referred.contains(&"/assets/main.js"));
    for address in referred {
        let name = address.strip_prefix("/assets/").expect("an address outside the assets");
        assert!(names().contains(name), "{name} is not there");
    }
}

#[test]
fn scripts_import_scripts_that_are_there() {
    for asset in ASSETS {
        for module in after(asset.text, " from '", '\'') {
            let name = module.strip_prefix("./").expect("a module outside the page");
            assert!(names().contains(name), "{} imports {name}", asset.name);
        }
    }
}

#[test]
fn nothing_comes_from_elsewhere() {
    for asset in ASSETS {
        let text = asset.text.replace("http://www.w3.org/2000/svg", "");
        for address in ["http:", "https:", "//cdn", "@import"] {
            assert!(!text.contains(address), "{} has {address}", asset.name);
        }
    }
}

#[test]
fn no_text_becomes_markup() {
    for asset in ASSETS.iter().filter(|asset| asset.name.ends_with(".js")) {
        for way in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("] {
            assert!(!asset.text.contains(way), "{} uses {way}", asset.name);
        }
    }
}

#[test]
fn the_document_keeps_to_its_content_security_policy() {
    let document = document().into_string();
    assert!(!document.contains("<style") && !document.contains(" style="));
    assert!(!document.contains(" onclick="));
    for script in after(&document, "<script", '>') {
        assert!(script.contains("src=\"/assets/"), "{script}");
    }
    assert!(document.contains("></script>"));
}

#[test]
fn places_that_others_rely_on_are_there() {
    let document = document().into_string();
    for id in ["topology", "broken", "live", "last", "tour", "chart", "stream", "guest", "faults"] {
        assert!(document.contains(&format!("id=\"{id}\"")), "{id}");
    }
}

#[test]
fn a_tag_is_that_of_the_text() {
    assert_eq!(tag("a"), tag("a"));
    assert_ne!(tag("a"), tag("b"));
}

#[tokio::test]
async fn an_asset_is_sent_once_as_long_as_it_stays_the_same() {
    let name = || Path("main.js".to_owned());
    let first = asset(name(), HeaderMap::new()).await;
    assert_eq!(first.status(), StatusCode::OK);
    assert_eq!(first.headers()[CONTENT_TYPE], "text/javascript; charset=utf-8");
    let tag = first.headers()[ETAG].clone();
    let again = asset(name(), HeaderMap::from_iter([(IF_NONE_MATCH, tag)])).await;
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    let other = HeaderValue::from_static("\"other\"");
    let changed = asset(name(), HeaderMap::from_iter([(IF_NONE_MATCH, other)])).await;
    assert_eq!(changed.status(), StatusCode::OK);
}

#[tokio::test]
async fn what_is_no_asset_is_not_found() {
    for name in ["", "../Cargo.toml", "main", "main.js/"] {
        let answer = asset(Path(name.to_owned()), HeaderMap::new()).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{name}");
    }
}
