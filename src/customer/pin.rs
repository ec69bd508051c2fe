//! A caller's PIN: kept only as an argon2id hash.
