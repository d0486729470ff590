//! Accounts from the command line. There is no HTTP path to any of this (security R53).

use std::fmt::Write;

use anyhow::Context;
use edupro_core::{
    School,
    accounts::{Email, User, Username, admin},
};

/// Makes an administrator.
pub(crate) async fn create_admin(
    school: &School,
    email: &str,
    username: &str,
    password: &str,
) -> anyhow::Result<User> {
    let email: Email = email.parse().context("--email")?;
    let username: Username = username.parse().context("--username")?;
    Ok(admin::create(school, &email, &username, password).await?)
}

/// Everybody, one a line, as a table.
pub(crate) async fn list(school: &School) -> anyhow::Result<String> {
    let users = admin::list(school).await?;
    let widest = |column: fn(&User) -> &str, title: &str| {
        users.iter().map(|user| column(user).chars().count()).fold(title.len(), usize::max)
    };
    let username = widest(|user| &user.username, "USERNAME");
    let email = widest(|user| &user.email, "EMAIL");
    let mut table =
        format!("{:>6}  {:username$}  {:email$}  {:7}  STATE\n", "ID", "USERNAME", "EMAIL", "TYPE");
    for user in users {
        let state = if user.is_active { "active" } else { "closed" };
        let _ = writeln!(
            table,
            "{:>6}  {:username$}  {:email$}  {:7}  {state}",
            user.id.0,
            user.username,
            user.email,
            user.user_type.as_str(),
        );
    }
    Ok(table)
}

/// Closes an account, or opens it again.
pub(crate) async fn set_active(school: &School, name: &str, active: bool) -> anyhow::Result<User> {
    Ok(admin::set_active(school, name, active).await?)
}
