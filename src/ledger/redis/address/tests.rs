//! What a URL means, and what it never shows.

use super::*;

#[test]
fn a_password_is_never_shown() {
    let cases = [
        ("rediss://sas:s3cr%C3%A9t@redis.example:6380/2", "rediss://redis.example:6380/2"),
        (
            "redis+sentinel://sas:s3cret@a,b:1/paris?db=3&sentinel_user=w&sentinel_password=s3cret+%40",
            "redis+sentinel://a:26379,b:1/paris?db=3",
        ),
        ("rediss+cluster://:s3cret@[::1]:7000,b?ca=/s3cret", "rediss+cluster://[::1]:7000,b:6379"),
    ];
    for (url, shown) in cases {
        let address = RedisAddress::parse(url).unwrap();
        assert_eq!((address.to_string(), format!("{address:?}")), (shown.to_owned(), shown.to_owned()));
    }
}

#[test]
fn a_wrong_url_is_refused_in_words_that_help_and_hold_no_password() {
    let cases = [
        ("redis://sas:s3cret@:x/0", "no host"),
        ("redis://sas:s3cret@host/db", "wrong ("),
        ("redis://sas:s3cret@host/-1", "a number from 0"),
        ("rediss://sas:s3cret@host#insecure", "fragment"),
        ("s3cret@host", "no scheme"),
        ("http://sas:s3cret@host", "scheme `http`"),
        ("redis+sentinels://sas:s3cret@host", "scheme `redis+sentinels`"),
        ("redis://sas:s3cret@a,b", "several servers"),
        ("redis+sentinel://sas:s3cret@a,b", "no service"),
        ("redis+sentinel://sas:s3cret@a,b/", "no service"),
        ("redis+sentinel://sas:s3cret@a,b/x/y", "no service"),
        ("redis+sentinel://sas:s3cret@a,,b/x", "no host"),
        ("redis+sentinel://a/x?db=s3cret", "wrong ("),
        ("redis+sentinel://a/x?sentinel_user=s3cret", "needs sentinel_password"),
        ("redis+sentinel://a/x?password=s3cret", "give db, sentinel_user"),
        ("redis+cluster://sas:s3cret@a,b/1", "database 0 only"),
        ("redis+cluster://sas:s3cret@", "no host"),
        ("redis://a?ca=s3cret", "with rediss"),
        ("rediss://a?cert=s3cret", "cert and key"),
    ];
    for (url, words) in cases {
        let error = RedisAddress::parse(url).unwrap_err().to_string();
        assert!(!error.contains("s3cret") && error.contains(words) && error.contains("give "), "{url}: {error}");
    }
}

#[test]
fn the_port_and_the_database_have_defaults() {
    let shown = |url: &str| RedisAddress::parse(url).unwrap().to_string();
    assert_eq!(shown("redis://localhost"), "redis://localhost:6379");
    assert_eq!(shown(" redis://[::1]:7000/0 "), "redis://[::1]:7000");
    assert_eq!(shown("redis+sentinel://a,b:7/s"), "redis+sentinel://a:26379,b:7/s");
    assert_eq!(shown("redis+cluster://a,a:6379,b/0"), "redis+cluster://a:6379,b:6379", "and a host counts once");
}

#[test]
fn each_kind_of_server_is_told_its_own_credentials() {
    let url = "rediss+sentinel://sas:p%40w@a/s%2D1?db=2&sentinel_user=w&sentinel_password=a+b%26&ca=/ca.pem";
    let address = RedisAddress::parse(url).unwrap();
    let host = Host { name: "::1".to_owned(), port: 7 };
    let told = |target: Target| {
        let settings = target.info.redis_settings().clone();
        assert_eq!(target.tls.and_then(|files| files.ca), Some(PathBuf::from("/ca.pem")));
        (settings.username().map(str::to_owned), settings.password().map(str::to_owned), settings.db())
    };
    let told_of = |user: &str, password: &str, database| (Some(user.to_owned()), Some(password.to_owned()), database);
    assert_eq!(told(address.server(&host).unwrap()), told_of("sas", "p@w", 2));
    assert_eq!(told(address.sentinel(&host).unwrap()), told_of("w", "a+b&", 0));
    assert!(matches!(address.way(), Way::Sentinel { service, .. } if service == "s-1"));
    assert!(RedisAddress::parse("redis://host").unwrap().sentinel(&host).is_none());
}
