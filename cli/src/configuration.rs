//! Configurations of the module: files of their own, or parts of a proxy's configuration.

use crate::document::nginx::{self, Directive};
use crate::document::{self, Node, Passage, SyntaxError, Value};
use crate::error::Error;
use crate::source::{Position, Source};

/// A configuration that was found.
#[derive(Clone, Debug)]
pub(crate) struct Configuration {
    /// The document.
    pub(crate) root: Node,
    /// What it stands in; `None`: it is the file.
    pub(crate) holder: Option<String>,
}

/// Why there is no configuration in a file.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum Nothing {
    /// It cannot be read.
    #[error("{}", .0.message)]
    Syntax(SyntaxError),
    /// It is another kind of file.
    #[error("there is no configuration of jwt-gate in it")]
    Absent,
}

impl From<SyntaxError> for Nothing {
    fn from(error: SyntaxError) -> Self {
        Self::Syntax(error)
    }
}

/// Members of which a configuration has at least one.
const NAMES: [&str; 9] = [
    "_rules_",
    "providers",
    "rules",
    "requirement_map",
    "default_action",
    "roles",
    "bypass_cors_preflight",
    "limits",
    "token_cache",
];

/// The message that configures Envoy's filter for modules.
const WASM_FILTER: &str = "envoy.extensions.filters.http.wasm.v3.Wasm";

/// Finds every configuration in a file: the file itself, or parts of an Envoy bootstrap, a resource of
/// Kubernetes (WasmPlugin, EnvoyFilter, EnvoyExtensionPolicy, ConfigMap), or a file of NGINX.
pub(crate) fn find(source: &Source) -> Result<Vec<Configuration>, Nothing> {
    let file = Passage::whole(source.text());
    let mut finder = Finder::default();
    if is_nginx(source.name(), source.text()) {
        finder.nginx(&file)?;
    } else {
        for root in document::read(&file)? {
            let before = finder.found.len();
            finder.look(&root)?;
            if finder.found.len() == before && !is_of_a_proxy(&root) {
                finder.found.push(Configuration { root, holder: None });
            }
        }
    }
    if finder.found.is_empty() { Err(Nothing::Absent) } else { Ok(finder.found) }
}

/// The one configuration of a file.
pub(crate) fn only(source: &Source) -> Result<Configuration, Error> {
    let name = source.name().to_owned();
    match find(source) {
        Ok(found) => match <[Configuration; 1]>::try_from(found) {
            Ok([configuration]) => Ok(configuration),
            Err(found) => Err(Error::SeveralConfigurations { name, count: found.len() }),
        },
        Err(Nothing::Absent) => Err(Error::NoConfiguration(name)),
        Err(Nothing::Syntax(error)) => {
            let Position { line, column } = source.position(error.at);
            Err(Error::Faults(format!("{name}:{line}:{column}: {}", error.message)))
        }
    }
}

fn is_nginx(name: &str, text: &str) -> bool {
    let is_directive = |line: &str| line.trim_start().starts_with("proxy_wasm ");
    name.ends_with(".conf") || !name.contains(".y") && text.lines().any(is_directive)
}

/// Whether it is a document of another kind, in which a configuration might have been.
fn is_of_a_proxy(root: &Node) -> bool {
    ["api_version", "kind", "static_resources", "resources", "http_filters", "typed_config"]
        .iter()
        .any(|name| root.get(name).is_some())
}

/// Whether it looks like a configuration of this module, not another one.
fn is_ours(root: &Node) -> bool {
    NAMES.iter().any(|name| root.get(name).is_some())
}

#[derive(Debug, Default)]
struct Finder {
    found: Vec<Configuration>,
}

impl Finder {
    fn add(&mut self, root: &Node, holder: String) {
        self.found.push(Configuration { root: root.clone(), holder: Some(holder) });
    }

    /// Looks for configurations in a document.
    fn look(&mut self, node: &Node) -> Result<(), SyntaxError> {
        let named = |kind: &str| {
            let name = node.get("metadata").and_then(|m| m.text_of("name"));
            name.map_or_else(|| kind.to_owned(), |name| format!("{kind} `{name}`"))
        };
        match node.text_of("kind") {
            Some(kind @ "WasmPlugin") => {
                let config = node.get("spec").and_then(|spec| spec.get("plugin_config"));
                self.plugin(config, &named(kind))
            }
            Some(kind @ "EnvoyExtensionPolicy") => {
                let wasm = node.get("spec").and_then(|spec| spec.get("wasm"));
                let modules = wasm.map(Node::elements).unwrap_or_default();
                modules.iter().try_for_each(|m| self.plugin(m.get("config"), &named(kind)))
            }
            Some(kind @ "ConfigMap") => {
                let files = node.get("data").map(Node::members).unwrap_or_default();
                files.iter().try_for_each(|f| self.file(&f.name, &f.node, &named(kind)))
            }
            Some(_) | None if is_wasm_filter(node) => {
                let config = node.get("value").unwrap_or(node).get("config");
                let name = config.and_then(|config| config.text_of("name"));
                let holder = name.map_or("filter".to_owned(), |name| format!("filter `{name}`"));
                self.plugin(config.and_then(|config| config.get("configuration")), &holder)
            }
            Some(_) | None => self.below(node),
        }
    }

    fn below(&mut self, node: &Node) -> Result<(), SyntaxError> {
        node.members().iter().try_for_each(|member| self.look(&member.node))?;
        node.elements().iter().try_for_each(|element| self.look(element))
    }

    /// The configuration of a module, perhaps of this one: a text, or an object.
    fn plugin(&mut self, config: Option<&Node>, holder: &str) -> Result<(), SyntaxError> {
        let Some(config) = config else { return Ok(()) };
        // A message of protobuf around a text or an object.
        let wrapped = config.get("value").filter(|_| !is_ours(config));
        let config = wrapped.unwrap_or(config);
        match &config.value {
            Value::Object(_) if is_ours(config) => self.add(config, holder.to_owned()),
            Value::Text(text) => self.text(text, holder)?,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::List(_) | Value::Object(_) => {
            }
        }
        Ok(())
    }

    /// A text that is a configuration, perhaps of this module.
    fn text(&mut self, text: &Passage, holder: &str) -> Result<(), SyntaxError> {
        let has = |name: &&str| -> bool {
            [format!("\"{name}\""), format!("{name}:")].iter().any(|n| text.text().contains(n))
        };
        // The module reads JSON and nothing else.
        match document::read_json(text) {
            Ok(root) if is_ours(&root) => self.add(&root, holder.to_owned()),
            Err(error) if NAMES.iter().any(has) => return Err(error),
            Ok(_) | Err(_) => {}
        }
        Ok(())
    }

    /// A file in a ConfigMap.
    fn file(&mut self, name: &str, node: &Node, holder: &str) -> Result<(), SyntaxError> {
        let Some(text) = node.as_text() else { return Ok(()) };
        if is_nginx(name, text.text()) {
            return self.nginx(text);
        }
        let before = self.found.len();
        let Ok(roots) = document::read(text) else { return self.text(text, holder) };
        roots.iter().try_for_each(|root| self.look(root))?;
        if self.found.len() == before {
            self.text(text, &format!("{holder}, file `{name}`"))?;
        }
        Ok(())
    }

    fn nginx(&mut self, file: &Passage) -> Result<(), SyntaxError> {
        let is_module = |d: &&Directive| d.word(0) == Some("proxy_wasm");
        for directive in nginx::directives(file)?.iter().filter(is_module) {
            let holder = format!("`proxy_wasm {}`", directive.word(1).unwrap_or_default());
            if let Some(word) = directive.words.get(2) {
                self.text(&word.text, &holder)?;
            }
        }
        Ok(())
    }
}

/// Whether it configures Envoy's filter for modules, in either form that names a message.
fn is_wasm_filter(node: &Node) -> bool {
    let says = |name: &str| node.text_of(name).is_some_and(|text| text.ends_with(WASM_FILTER));
    says("@type") || says("type_url")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What each configuration stands in, and where its rules are.
    fn found(name: &str, text: &str) -> Vec<(String, (usize, usize))> {
        let source = Source::of(name, text);
        let found = find(&source).unwrap();
        let place = |c: &Configuration| {
            let Position { line, column } = source.position(c.root.find("rules"));
            (c.holder.clone().unwrap_or_default(), (line, column))
        };
        found.iter().map(place).collect()
    }

    fn holder(text: &str, line: usize, column: usize) -> (String, (usize, usize)) {
        (text.to_owned(), (line, column))
    }

    #[test]
    fn a_file_of_its_own_is_a_configuration() {
        assert_eq!(found("a.json", "{\n \"rules\": []}"), [holder("", 2, 2)]);
        assert_eq!(found("a.yaml", "---\nrules: []\n"), [holder("", 2, 1)]);
        assert_eq!(found("a.yaml", "rulse: []\n"), [holder("", 1, 1)]);
    }

    #[test]
    fn filters_of_envoy_are_found_with_every_form_of_configuration() {
        let filter = |configuration: &str| {
            format!(
                "static_resources:\n  listeners:\n  - typed_config:\n      '@type': type.googleapis.com/{WASM_FILTER}\n      config:\n        name: jwt-gate\n        configuration:\n{configuration}"
            )
        };
        let text = filter(
            "          '@type': type.googleapis.com/google.protobuf.StringValue\n          value: |\n            {\n              \"rules\": []\n            }\n",
        );
        assert_eq!(found("a.yaml", &text), [holder("filter `jwt-gate`", 11, 15)]);
        let text = filter(
            "          '@type': type.googleapis.com/google.protobuf.Struct\n          value:\n            rules: []\n",
        );
        assert_eq!(found("a.yaml", &text), [holder("filter `jwt-gate`", 10, 13)]);
        let other = filter("          value: |\n            {\"not\": \"ours\"}\n");
        assert_eq!(find(&Source::of("a.yaml", &other)).unwrap_err(), Nothing::Absent);
        let json = format!(
            r#"{{"typed_config": {{"@type": "xds.type.v3.TypedStruct", "type_url": "{WASM_FILTER}",
                 "value": {{"config": {{"configuration": {{"value": "{{\"rules\": []}}"}}}}}}}}}}"#
        );
        assert_eq!(found("a.json", &json), [holder("filter", 2, 68)]);
    }

    #[test]
    fn resources_of_kubernetes_are_found_in_every_document_of_a_file() {
        let text = "kind: WasmPlugin\nmetadata: {name: a}\nspec:\n  pluginConfig:\n    rules: []\n---\nkind: Service\n---\nkind: EnvoyExtensionPolicy\nspec:\n  wasm:\n  - name: x\n    config:\n      rules: []\n---\nkind: ConfigMap\ndata:\n  policy.json: |\n    {\"rules\": []}\n  other: x\n";
        let expected = [
            holder("WasmPlugin `a`", 5, 5),
            holder("EnvoyExtensionPolicy", 14, 7),
            holder("ConfigMap, file `policy.json`", 19, 6),
        ];
        assert_eq!(found("a.yaml", text), expected);
    }

    #[test]
    fn directives_of_nginx_are_found() {
        let text = "location / {\n  proxy_wasm jwt_gate '{\n    \"rules\": []}';\n  proxy_wasm other 'x';\n}";
        assert_eq!(found("nginx.conf", text), [holder("`proxy_wasm jwt_gate`", 3, 5)]);
    }

    #[test]
    fn what_is_nearly_a_configuration_is_an_error_at_its_place() {
        let text = "proxy_wasm jwt_gate '{\"rules\": [}';";
        let error = SyntaxError { at: 32, message: "unexpected close brace".to_owned() };
        assert_eq!(find(&Source::of("a.conf", text)).unwrap_err(), Nothing::Syntax(error));
    }
}
