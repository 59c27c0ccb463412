//! The document of the API, OpenAPI 3.1, made of its routes and types.

use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::{
    route::{Content, Parameter, Route},
    routes::table,
};
use crate::api::Refused;

/// The document of the API, as `/api/openapi.json` gives it.
pub fn openapi() -> String {
    let settings = SchemaSettings::draft2020_12()
        .with(|settings| settings.definitions_path = "/components/schemas".into());
    let mut schemas = settings.into_generator();
    let mut paths = Map::new();
    for route in table() {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.as_str().to_lowercase()] = operation(&route, &mut schemas);
    }
    let refused = json(schemas.subschema_for::<Refused>());
    let document = json!({
        "openapi": "3.1.1",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {
            "title": "sansim",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
        },
        "security": [{}, { "token": [] }, { "cookie": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas.take_definitions(true),
            "responses": {
                "refused": {
                    "description": "What was asked is refused: 400 it is not understood, 401 there \
                        is no token, 403 another site asks, 404 there is no such thing, 409 it \
                        does not go with the state of the lab, 413 it is too large, 500 the guest \
                        or the host failed, 503 the lab is ending or there is no room.",
                    "content": { "application/json": { "schema": refused } },
                },
            },
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer" },
                "cookie": { "type": "apiKey", "in": "cookie", "name": "sansim-PORT" },
            },
        },
    });
    format!("{document:#}\n")
}

const ABOUT: &str = "The API of a live lab. On its Unix socket no token is needed. On its port, the \
    token in the printed address is: as a bearer token, or in the cookie that the page gets.";

fn operation(route: &Route, schemas: &mut SchemaGenerator) -> Value {
    let mut operation = json!({
        "operationId": name(route),
        "description": route.what,
        "parameters": route.parameters.iter()
            .map(|it| parameter(it, route.path, schemas)).collect::<Vec<_>>(),
        "responses": { "default": { "$ref": "#/components/responses/refused" } },
    });
    if let Some(asks) = route.asks {
        operation["requestBody"] = json!({ "required": true, "content": content(asks, schemas) });
    }
    let (status, answer) = match route.gives {
        Content::WebSocket(_) => (
            "101",
            json!({ "description": "The WebSocket.", "x-messages": messages(route.gives, schemas) }),
        ),
        Content::Events(_) => (
            "200",
            json!({
                "description": "Server-Sent Events, by name.",
                "content": { "text/event-stream": { "schema": { "type": "string" } } },
                "x-messages": messages(route.gives, schemas),
            }),
        ),
        gives => {
            ("200", json!({ "description": "It is done.", "content": content(gives, schemas) }))
        }
    };
    operation["responses"][status] = answer;
    operation
}

/// `postFaults`, `getCapturePcapng`.
fn name(route: &Route) -> String {
    let parts = route.path.split(|c: char| !c.is_ascii_alphanumeric());
    let parts = parts.filter(|part| !part.is_empty() && *part != "api");
    let capital = |part: &str| part[..1].to_uppercase() + &part[1..];
    route.method.as_str().to_lowercase() + &parts.map(capital).collect::<String>()
}

fn parameter(parameter: &Parameter, path: &str, schemas: &mut SchemaGenerator) -> Value {
    let in_path = path.contains(&format!("{{{}}}", parameter.name));
    json!({
        "name": parameter.name,
        "in": if in_path { "path" } else { "query" },
        "required": parameter.required,
        "description": parameter.what,
        "schema": (parameter.schema)(schemas),
    })
}

fn content(content: Content, schemas: &mut SchemaGenerator) -> Value {
    match content {
        Content::Json(schema) => json!({ "application/json": { "schema": schema(schemas) } }),
        Content::Raw(kind) => json!({ kind: {} }),
        Content::Events(_) | Content::WebSocket(_) => json!({}),
    }
}

fn messages(content: Content, schemas: &mut SchemaGenerator) -> Value {
    match content {
        Content::Events(all) | Content::WebSocket(all) => {
            all.iter().map(|(name, schema)| ((*name).to_owned(), json(schema(schemas)))).collect()
        }
        Content::Json(_) | Content::Raw(_) => json!({}),
    }
}

fn json(schema: schemars::Schema) -> Value {
    schema.into()
}
