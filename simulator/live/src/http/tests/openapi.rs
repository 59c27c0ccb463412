use std::collections::BTreeSet;

use serde_json::Value;

use super::lab::{lab, soon};
use crate::http::{openapi, routes::table};

fn document() -> Value {
    serde_json::from_str(&openapi()).unwrap()
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            found.extend(map.get("$ref").and_then(Value::as_str).map(str::to_owned));
            map.values().for_each(|value| references(value, found));
        }
        Value::Array(all) => all.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn every_route_is_in_the_document() {
    let document = document();
    for route in table() {
        let operation = &document["paths"][route.path][route.method.as_str().to_lowercase()];
        assert_eq!(operation["description"], route.what, "{}", route.path);
        assert!(operation["responses"].as_object().unwrap().len() == 2, "{operation}");
    }
    let names: Vec<_> = document["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|path| path.as_object().unwrap().values())
        .map(|operation| operation["operationId"].as_str().unwrap())
        .collect();
    let different: BTreeSet<_> = names.iter().collect();
    assert_eq!((names.len(), different.len()), (table().len(), table().len()), "{names:?}");
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.len() > 20, "{found:?}");
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

#[tokio::test]
async fn every_route_is_served() {
    let lab = lab();
    let host = format!("127.0.0.1:{}", lab.port());
    let bearer = format!("Bearer {}", lab.token());
    let headers = [("Host", host.as_str()), ("Authorization", bearer.as_str())];
    for route in table() {
        // Every path has no such method, and is therefore there.
        let request: String =
            headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let path = route.path.replace(['{', '}'], "");
        let request = format!("TRACE {path} HTTP/1.1\r\nConnection: close\r\n{request}\r\n");
        let answer = soon(lab.raw(&request)).await;
        assert!(answer.starts_with("HTTP/1.1 405"), "{path}: {answer}");
    }
    let answer = lab.get("/api/nothing", &headers).await;
    assert!(answer.starts_with("HTTP/1.1 404") && answer.contains("\"why\":\"unknown\""));
}
