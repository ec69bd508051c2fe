//! What stands in `deploy/`, held against the product: metrics, settings, commands, ports and probes that are named
//! there exist here. What outside tools know of it, `deploy/check` asks them.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::TcpListener,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use clap::Parser;
use ringdown::{
    cli::Cli,
    clock::Clock,
    config,
    server::settings::{Settings, strays},
};
use serde_json::Value;
use yaml_rust2::{Yaml, YamlLoader};

use crate::world::*;

/// How long a process takes to end what is under way once it is told to stop, in seconds.
const GRACE: u64 = 10;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    let path = root().join("deploy").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The documents of a YAML file.
fn documents(name: &str) -> Vec<Value> {
    let all = YamlLoader::load_from_str(&read(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    all.into_iter().map(|document| value(name, document)).collect()
}

fn value(name: &str, yaml: Yaml) -> Value {
    match yaml {
        Yaml::String(text) => text.into(),
        Yaml::Integer(number) => number.into(),
        Yaml::Boolean(flag) => flag.into(),
        Yaml::Real(text) => text.parse::<f64>().expect("a number").into(),
        Yaml::Null => Value::Null,
        Yaml::Array(items) => items.into_iter().map(|item| value(name, item)).collect(),
        Yaml::Hash(fields) => fields
            .into_iter()
            .map(|(key, field)| (key.into_string().unwrap_or_else(|| panic!("{name}: a key")), value(name, field)))
            .collect(),
        Yaml::Alias(_) | Yaml::BadValue => panic!("{name}: cannot be read"),
    }
}

fn document(name: &str) -> Value {
    let mut all = documents(name);
    assert_eq!(all.len(), 1, "{name}");
    all.remove(0)
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("a file").path();
        // Made by whoever follows the manifests' first lines.
        if path.is_dir() && !["schedules", "secrets"].iter().any(|made| path.ends_with(made)) {
            files(&path, found);
        } else if path.is_file() {
            found.push(path);
        }
    }
}

/// The words in a text that begin like this and go on in letters, digits and `_`.
fn words<'t>(text: &'t str, begin: &str) -> BTreeSet<&'t str> {
    let end = |rest: &str| rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
    text.match_indices(begin).map(|(at, _)| &text[at..at + end(&text[at..])]).collect()
}

#[test]
fn every_file_of_yaml_and_json_can_be_read() {
    let mut found = Vec::new();
    files(&root().join("deploy"), &mut found);
    let mut read = 0;
    for path in found {
        let name = path.strip_prefix(root().join("deploy")).expect("below").to_str().expect("UTF-8");
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("yaml" | "yml") => assert!(documents(name).iter().all(Value::is_object), "{name}"),
            Some("json") => {
                serde_json::from_str::<Value>(&self::read(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
            }
            _ => continue,
        }
        read += 1;
    }
    assert!(read >= 11, "{read}");
}

/// Every metric that the sources register, by the name they give it.
fn registered() -> BTreeSet<String> {
    let mut found = Vec::new();
    files(&root().join("src"), &mut found);
    let sources = found.iter().filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let texts = sources.map(|path| std::fs::read_to_string(path).expect("a source"));
    texts.flat_map(|text| words(&text, "ringdown_").into_iter().map(String::from).collect::<Vec<_>>()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_metric_that_is_asked_for_is_one_of_ours() {
    let rules = read("prometheus/ringdown.rules.yml");
    let expressions: String = documents("prometheus/ringdown.rules.yml")[0]["groups"]
        .as_array()
        .expect("groups")
        .iter()
        .flat_map(|group| group["rules"].as_array().expect("rules"))
        .map(|rule| text(&rule["expr"]) + "\n")
        .collect();
    let (board, series) = (read("grafana/ringdown.json"), read("prometheus/ringdown.rules.test.yml"));
    let asked: BTreeSet<&str> = [expressions.as_str(), &rules, &board, &series]
        .into_iter()
        .flat_map(|text| words(text, "ringdown_"))
        .map(|name| ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name))
        .collect();
    assert!(asked.len() > 20, "{asked:?}");
    let known = registered();
    let unknown: Vec<&&str> = asked.iter().filter(|name| !known.contains(**name)).collect();
    assert!(unknown.is_empty(), "nobody counts these: {unknown:?}");

    // What is asked of the database is there from the first moment.
    let world = World::start().await;
    world.report("P1").await;
    let figures = text(&world.peek("/metrics").await.body);
    for name in ["open_incidents", "oldest_overdue_timer_seconds", "quarantined_incidents", "build_info"] {
        assert!(figures.contains(&format!("\nringdown_{name}")), "{name}: {figures}");
    }
    world.finish();
}

#[test]
fn every_alert_says_what_it_means_and_what_to_do_and_stands_in_the_manual() {
    let manual = std::fs::read_to_string(root().join("docs/operations.md")).expect("the manual");
    let rules = document("prometheus/ringdown.rules.yml");
    let rules: Vec<&Value> = rules["groups"]
        .as_array()
        .expect("groups")
        .iter()
        .flat_map(|group| group["rules"].as_array().expect("rules"))
        .collect();
    assert!(rules.len() > 15);
    for rule in rules {
        let name = text(&rule["alert"]);
        for annotation in ["summary", "means", "do"] {
            assert!(text(&rule["annotations"][annotation]).len() > 10, "{name}: {annotation}");
        }
        assert!(["page", "ticket"].contains(&text(&rule["labels"]["severity"]).as_str()), "{name}");
        assert!(manual.contains(&format!("**{name}**")), "docs/operations.md does not tell of {name}");
    }
}

/// The environment that a manifest sets, by manifest.
fn environments() -> BTreeMap<&'static str, BTreeMap<String, String>> {
    let secret = |name: &str| match name {
        "RINGDOWN_DATABASE" => "postgres://ringdown:secret@postgres:5432/ringdown".to_owned(),
        _ => "0a".repeat(32),
    };
    let value = |name: &str, value: &str| match value.strip_prefix("file:/run/secrets/") {
        Some(_) => secret(name),
        None => value.to_owned(),
    };
    let compose = document("compose/compose.yaml");
    let nodes: Vec<&Value> = ["node1", "node2", "node3"].iter().map(|node| &compose["services"][node]).collect();
    assert!(nodes.iter().all(|node| *node == nodes[0] && node.is_object()), "the nodes are the same");
    let compose = nodes[0]["environment"].as_object().expect("an environment");
    let compose = compose.iter().map(|(name, given)| (name.clone(), value(name, &text(given)))).collect();

    let deployment = document("kubernetes/deployment.yaml");
    let env = deployment["spec"]["template"]["spec"]["containers"][0]["env"].as_array().expect("env").clone();
    let kubernetes = env.iter().map(|given| {
        let name = text(&given["name"]);
        let value = given["value"].as_str().map_or_else(|| secret(&name), Into::into);
        (name, value)
    });

    let image = read("Containerfile");
    let (_, image) = image.split_once("\nENV ").expect("ENV");
    let image =
        image.lines().take_while(|line| line.contains('=')).map(|line| pair(line.trim_end_matches('\\').trim()));
    let unit = |name: &str| -> BTreeMap<String, String> {
        let text = read(name);
        text.lines().filter_map(|line| line.strip_prefix("Environment=")).map(pair).collect()
    };
    BTreeMap::from([
        ("compose", compose),
        ("kubernetes", kubernetes.collect()),
        ("image", image.collect()),
        ("ringdown.service", unit("systemd/ringdown.service")),
        ("ringdown-backup.service", unit("systemd/ringdown-backup.service")),
    ])
}

fn pair(text: &str) -> (String, String) {
    let (name, value) = text.split_once('=').unwrap_or_else(|| panic!("{text}"));
    (name.into(), value.into())
}

/// The settings that a manifest's environment makes, and whether each variable was read.
fn settings(manifest: &str, env: &BTreeMap<String, String>) -> Settings {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("ringdown.toml");
    std::fs::write(&file, "").expect("a file");
    let asked = std::cell::RefCell::new(BTreeSet::new());
    let settings = Settings::load(Some(&file), |name| {
        asked.borrow_mut().insert(name.to_owned());
        env.get(name).cloned()
    });
    let settings = settings.unwrap_or_else(|error| panic!("{manifest}: {error:#}"));
    let asked = asked.into_inner();
    let unread: Vec<&String> = env.keys().filter(|name| !asked.contains(*name)).collect();
    assert!(unread.is_empty(), "{manifest}: nobody reads {unread:?}: {:?}", strays(env.keys().cloned(), &asked));
    settings
}

#[test]
fn every_variable_in_the_manifests_is_a_setting() {
    for (manifest, env) in environments() {
        assert!(!env.is_empty(), "{manifest}");
        let settings = settings(manifest, &env);
        let several = ["compose", "kubernetes"].contains(&manifest);
        assert_eq!(settings.database.starts_with("postgres://"), several, "{manifest}");
        if several {
            assert!(
                settings.token_secret.is_some() && settings.ledger_key.is_some(),
                "{manifest}: shared by all nodes"
            );
            assert!(settings.public_url.starts_with("https://") && settings.carriers.len() == 1, "{manifest}");
        }
    }
}

#[test]
fn every_variable_and_secret_that_comments_name_is_a_setting() {
    let mut found = Vec::new();
    files(&root().join("deploy"), &mut found);
    let texts: Vec<String> = found.iter().map(|path| std::fs::read_to_string(path).expect("a text")).collect();
    let named: BTreeSet<String> = texts
        .iter()
        .flat_map(|text| words(text, "RINGDOWN_"))
        .filter(|name| !name.ends_with('_'))
        .map(Into::into)
        .collect();
    // Kubernetes' own, which a comment warns of.
    let ours: BTreeMap<String, String> = named
        .into_iter()
        .filter(|name| name != "RINGDOWN_PORT")
        .map(|name| {
            let value = match name.rsplit("__").next().unwrap_or_default() {
                "RINGDOWN_CARRIERS" => "twilio,office",
                "RINGDOWN_LISTEN" => "127.0.0.1:8080",
                "RINGDOWN_PUBLIC_URL" => "https://x.example",
                "RINGDOWN_DATABASE" => "sqlite:x.db",
                "RINGDOWN_LEDGER_KEY" => "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a",
                "RINGDOWN_TRUSTED_PROXIES" => "10.0.0.0/8",
                "KIND" => "twilio",
                "FROM" => "+12015550123",
                _ => "00000000000000000000000000000000",
            };
            (name, value.to_owned())
        })
        .chain([
            ("RINGDOWN_CARRIERS__OFFICE__KIND".into(), "smtp".into()),
            ("RINGDOWN_CARRIERS__OFFICE__URL".into(), "smtps://x.example".into()),
            ("RINGDOWN_CARRIERS__OFFICE__USERNAME".into(), "x".into()),
            ("RINGDOWN_CARRIERS__OFFICE__FROM".into(), "a@x.example".into()),
        ])
        .collect();
    settings("comments", &ours);
}

#[test]
fn every_command_line_is_one_that_exists() {
    let unit = |name: &str| {
        let line = read(name).lines().find_map(|line| line.strip_prefix("ExecStart=").map(String::from)).expect(name);
        line.split_whitespace().map(String::from).collect::<Vec<_>>()
    };
    let list = |given: &Value| -> Vec<String> {
        let args = given.as_array().unwrap_or_else(|| panic!("no list: {given}"));
        ["ringdown".into()].into_iter().chain(args.iter().map(text)).collect()
    };
    let image = read("Containerfile");
    let image = image.lines().find_map(|line| line.strip_prefix("CMD [\"serve\"")).expect("CMD");
    let image: Value = serde_json::from_str(&format!("[\"serve\"{image}")).expect("a list");
    let deployment = document("kubernetes/deployment.yaml");
    for line in [
        unit("systemd/ringdown.service"),
        unit("systemd/ringdown-backup.service"),
        list(&document("compose/compose.yaml")["services"]["node1"]["command"]),
        list(&deployment["spec"]["template"]["spec"]["containers"][0]["args"]),
        list(&image),
    ] {
        assert!(line[0].ends_with("ringdown"), "{line:?}");
        if let Err(error) = Cli::try_parse_from(&line) {
            panic!("{line:?}: {error}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn probes_ask_at_a_port_and_a_path_that_answer() {
    let envs = environments();
    for manifest in ["compose", "kubernetes", "image"] {
        let listen = settings(manifest, &envs[manifest]).listen;
        assert_eq!((listen.port(), listen.ip().is_unspecified()), (8080, true), "{manifest}");
    }
    let deployment = document("kubernetes/deployment.yaml");
    let template = &deployment["spec"]["template"];
    let container = &template["spec"]["containers"][0];
    assert_eq!(
        (&container["ports"][0]["name"], &container["ports"][0]["containerPort"]),
        (&"http".into(), &8080.into())
    );
    assert_eq!(document("kubernetes/service.yaml")["spec"]["ports"][0]["targetPort"], "http");
    assert_eq!(template["metadata"]["annotations"]["prometheus.io/port"], "8080");
    let mut paths = vec![text(&template["metadata"]["annotations"]["prometheus.io/path"])];
    for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
        assert_eq!(container[probe]["httpGet"]["port"], "http", "{probe}");
        paths.push(text(&container[probe]["httpGet"]["path"]));
    }
    // A database that is away is no reason for a restart.
    assert_eq!(paths[1..], ["/healthz", "/healthz", "/readyz"]);
    let proxy = read("compose/haproxy.cfg");
    assert_eq!(proxy.matches("server node").count(), 3);
    assert_eq!((1..=3).filter(|n| proxy.contains(&format!("server node{n} node{n}:8080"))).count(), 3);
    let asked =
        proxy.lines().find_map(|line| line.trim().strip_prefix("http-check send meth GET uri ")).expect("a check");
    paths.push(asked.split(' ').next().expect("a path").into());
    assert!(read("Containerfile").contains("\nEXPOSE 8080\n"));

    let world = World::start().await;
    for path in paths {
        assert_eq!(world.peek(&path).await.status, 200, "{path}");
    }
    world.finish();
}

/// What stands in a health check as the shell gets it.
fn shell(check: &Value) -> String {
    let words: Vec<String> = check.as_array().expect("a list").iter().map(text).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).filter(|word| *word != "CMD").collect();
    assert_eq!(words[..2], ["bash", "-c"], "{words:?}");
    assert_eq!(words.len(), 3);
    words[2].into()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_health_check_of_a_container_tells_a_node_that_is_ready_from_one_that_is_not() {
    let image = read("Containerfile");
    let image = image.lines().find_map(|line| line.trim().strip_prefix("CMD [\"bash\"")).expect("HEALTHCHECK");
    let image: Value = serde_json::from_str(&format!("[\"bash\"{image}")).expect("a list");
    // Compose fills in `$NAME`; `$$` is a dollar sign.
    let compose = shell(&document("compose/compose.yaml")["services"]["node1"]["healthcheck"]["test"]);
    let checks = [shell(&image), compose.replace("$$", "$")];

    let world = World::start().await;
    let ready = text(&Value::String(world.url("")));
    let ready = ready.rsplit(':').next().expect("a port").to_owned();
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("an address").port();
    for check in checks {
        assert!(check.contains("/127.0.0.1/8080"), "{check}");
        let says = async |port: &str| {
            let script = check.replace("8080", port);
            let ran = tokio::task::spawn_blocking(move || Command::new("bash").args(["-c", &script]).output());
            ran.await.expect("it runs").expect("bash").status.success()
        };
        assert!(says(&ready).await, "{check}");
        assert!(!says(&free.to_string()).await, "{check}");
    }
    world.finish();
}

#[test]
fn whoever_stops_a_node_waits_until_it_has_ended_in_order() {
    let seconds = |text: &str| text.trim_end_matches('s').parse::<u64>().unwrap_or_else(|_| panic!("{text}"));
    let unit = read("systemd/ringdown.service");
    let unit = unit.lines().find_map(|line| line.strip_prefix("TimeoutStopSec=")).expect("TimeoutStopSec");
    assert!(seconds(unit) > GRACE);
    let compose = document("compose/compose.yaml");
    assert!(seconds(&text(&compose["services"]["node1"]["stop_grace_period"])) > GRACE);
    let deployment = document("kubernetes/deployment.yaml");
    let pod = &deployment["spec"]["template"]["spec"];
    let pause = &pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"];
    assert_eq!(pause[0], "sleep");
    let grace = pod["terminationGracePeriodSeconds"].as_u64().expect("a number");
    assert!(grace > GRACE + seconds(&text(&pause[1])), "{grace}");
    let update = &deployment["spec"]["strategy"]["rollingUpdate"];
    assert_eq!((&update["maxUnavailable"], &update["maxSurge"]), (&0.into(), &1.into()));
    let least = document("kubernetes/poddisruptionbudget.yaml")["spec"]["minAvailable"].as_u64();
    assert!(least < deployment["spec"]["replicas"].as_u64(), "a machine can be drained");
}

/// What the nodes of Kubernetes see as `schedules/`, by name: from where the file comes.
fn mounted() -> BTreeMap<String, String> {
    let built = document("kubernetes/kustomization.yaml");
    let maps: BTreeMap<String, Vec<String>> = built["configMapGenerator"]
        .as_array()
        .expect("maps")
        .iter()
        .map(|map| (text(&map["name"]), map["files"].as_array().expect("files").iter().map(text).collect()))
        .collect();
    let deployment = document("kubernetes/deployment.yaml");
    let volumes = deployment["spec"]["template"]["spec"]["volumes"].as_array().expect("volumes").clone();
    let sources = volumes.iter().find(|volume| volume["name"] == "schedules").expect("the volume");
    let mut mounted = BTreeMap::new();
    for source in sources["projected"]["sources"].as_array().expect("sources") {
        let map = &maps[&text(&source["configMap"]["name"])];
        let name = |file: &String| file.rsplit('/').next().expect("a name").to_owned();
        match source["configMap"]["items"].as_array() {
            None => mounted.extend(map.iter().map(|file| (name(file), file.clone()))),
            Some(items) => {
                assert_eq!(items.len(), map.len(), "{source}");
                for item in items {
                    let file = map.iter().find(|file| name(file) == text(&item["key"])).expect("in the map");
                    mounted.insert(text(&item["path"]), file.clone());
                }
            }
        }
    }
    mounted
}

#[test]
fn the_nodes_of_kubernetes_see_every_file_of_the_example() {
    let folder = tempfile::tempdir().expect("a folder");
    config::write_example(folder.path()).expect("the example");
    let mut found = Vec::new();
    files(folder.path(), &mut found);
    let name = |path: &PathBuf| path.strip_prefix(folder.path()).expect("below").to_str().expect("UTF-8").to_owned();
    let read = |name: &String| name.ends_with(".toml") || name.ends_with(".ics");
    let example: BTreeMap<String, String> =
        found.iter().map(name).filter(read).map(|name| (name.clone(), format!("schedules/{name}"))).collect();
    assert_eq!(mounted(), example);
}

/// The kubelet writes the files into a folder of its own and links to them: the names in ours are links.
#[test]
fn a_folder_of_links_as_the_kubelet_makes_it_can_be_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let (real, seen) = (folder.path().join("..2026_11_22"), folder.path());
    config::write_example(&real).expect("the example");
    symlink("..2026_11_22", seen.join("..data")).expect("a link");
    let tops: BTreeSet<String> = mounted().keys().map(|name| name.split('/').next().expect("a name").into()).collect();
    for top in tops {
        symlink(format!("..data/{top}"), seen.join(&top)).expect("a link");
    }
    let (config, findings) = config::check(seen, Clock::system().now());
    assert!(config.is_some() && !findings.iter().any(|finding| finding.is_error()), "{findings:?}");
}
