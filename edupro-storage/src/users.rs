use async_trait::async_trait;
use chrono::{DateTime, Utc};
use edupro_core::{
    StoreError, StoreResult,
    accounts::{
        Credentials, Email, NewUser, Phone, Taken, User, UserId, UserStore, UserType, Username,
        username_key,
    },
    files::FileKey,
};

use crate::sql::Tx;

/// The columns of [`UserRow`], from a table called `u`.
macro_rules! user_columns {
    () => {
        "u.id, u.email, u.username, u.slug, u.first_name, u.last_name, u.phone, u.parent_phone,
         u.user_type, u.is_staff, u.is_active, u.avatar, u.logo, u.last_login, u.created_at"
    };
}
pub(crate) use user_columns;

#[derive(sqlx::FromRow)]
pub(crate) struct UserRow {
    id: i64,
    email: String,
    username: String,
    slug: Option<String>,
    first_name: String,
    last_name: String,
    phone: Option<String>,
    parent_phone: Option<String>,
    user_type: String,
    is_staff: bool,
    is_active: bool,
    avatar: Option<String>,
    logo: Option<String>,
    last_login: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

impl TryFrom<UserRow> for User {
    type Error = StoreError;

    fn try_from(row: UserRow) -> StoreResult<Self> {
        let user_type = UserType::from_word(&row.user_type)
            .ok_or(StoreError::Corrupt { column: "users.user_type", value: row.user_type })?;
        Ok(Self {
            id: UserId(row.id),
            email: row.email,
            username: row.username,
            slug: row.slug.unwrap_or_default(),
            first_name: row.first_name,
            last_name: row.last_name,
            phone: row.phone,
            parent_phone: row.parent_phone,
            user_type,
            is_staff: row.is_staff,
            is_active: row.is_active,
            avatar: row.avatar.map(FileKey::from_stored),
            logo: row.logo.map(FileKey::from_stored),
            last_login: row.last_login,
            created_at: row.created_at,
        })
    }
}

#[derive(sqlx::FromRow)]
struct CredentialsRow {
    #[sqlx(flatten)]
    user: UserRow,
    password_hash: String,
}

#[async_trait]
impl UserStore for Tx {
    async fn find(&mut self, id: UserId) -> StoreResult<Option<User>> {
        let row = self
            .query(concat!("SELECT ", user_columns!(), " FROM users u WHERE u.id = $1"))
            .bind(id.0)
            .optional::<UserRow>()
            .await?;
        row.map(User::try_from).transpose()
    }

    async fn find_by_username(&mut self, username: &str) -> StoreResult<Option<User>> {
        let row = self
            .query(concat!("SELECT ", user_columns!(), " FROM users u WHERE u.username_key = $1"))
            .bind(username_key(username))
            .optional::<UserRow>()
            .await?;
        row.map(User::try_from).transpose()
    }

    async fn find_credentials(&mut self, email: &Email) -> StoreResult<Option<Credentials>> {
        let row = self
            .query(concat!(
                "SELECT ",
                user_columns!(),
                ", u.password_hash FROM users u WHERE u.email = $1"
            ))
            .bind(email.as_str().to_owned())
            .optional::<CredentialsRow>()
            .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Credentials { user: row.user.try_into()?, password_hash: row.password_hash }))
    }

    async fn taken(
        &mut self,
        username: Option<&Username>,
        email: Option<&Email>,
        phone: Option<&Phone>,
    ) -> StoreResult<Taken> {
        // What is not given is compared with NULL, which nothing equals.
        let (username, email, phone) = self
            .query(
                "SELECT EXISTS (SELECT 1 FROM users WHERE username_key = $1),
                        EXISTS (SELECT 1 FROM users WHERE email = $2),
                        EXISTS (SELECT 1 FROM users WHERE phone = $3)",
            )
            .bind(username.map(Username::key))
            .bind(email.map(ToString::to_string))
            .bind(phone.map(ToString::to_string))
            .one::<(bool, bool, bool)>()
            .await?;
        Ok(Taken { username, email, phone })
    }

    async fn slug_is_taken(&mut self, slug: &str) -> StoreResult<bool> {
        let (taken,) = self
            .query("SELECT EXISTS (SELECT 1 FROM users WHERE slug = $1)")
            .bind(slug.to_owned())
            .one::<(bool,)>()
            .await?;
        Ok(taken)
    }

    async fn add(&mut self, user: &NewUser) -> StoreResult<Option<User>> {
        let added = self
            .query(
                "INSERT INTO users (email, username, username_key, slug, first_name, last_name,
                                    phone, parent_phone, password_hash, user_type, is_staff,
                                    is_active, avatar, logo, created_at, updated_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, TRUE, $12, $13, $14, $14)
                 ON CONFLICT DO NOTHING
                 RETURNING id",
            )
            .bind(user.email.to_string())
            .bind(user.username.to_string())
            .bind(user.username.key())
            .bind(user.slug.clone())
            .bind(user.first_name.clone())
            .bind(user.last_name.clone())
            .bind(user.phone.as_ref().map(ToString::to_string))
            .bind(user.parent_phone.as_ref().map(ToString::to_string))
            .bind(user.password_hash.clone())
            .bind(user.user_type.as_str())
            .bind(user.is_staff)
            .bind(user.avatar.as_ref().map(ToString::to_string))
            .bind(user.logo.as_ref().map(ToString::to_string))
            .bind(user.created_at)
            .optional::<(i64,)>()
            .await?;
        let Some((id,)) = added else { return Ok(None) };
        if user.slug.is_none() {
            self.query("UPDATE users SET slug = $2 WHERE id = $1")
                .bind(id)
                .bind(format!("user-{id}"))
                .execute()
                .await?;
        }
        UserStore::find(self, UserId(id)).await
    }

    async fn set_password(&mut self, id: UserId, hash: &str, at: DateTime<Utc>) -> StoreResult<()> {
        self.query("UPDATE users SET password_hash = $2, updated_at = $3 WHERE id = $1")
            .bind(id.0)
            .bind(hash.to_owned())
            .bind(at)
            .execute()
            .await?;
        Ok(())
    }

    async fn set_last_login(&mut self, id: UserId, at: DateTime<Utc>) -> StoreResult<()> {
        self.query("UPDATE users SET last_login = $2 WHERE id = $1")
            .bind(id.0)
            .bind(at)
            .execute()
            .await?;
        Ok(())
    }

    async fn set_active(&mut self, id: UserId, active: bool, at: DateTime<Utc>) -> StoreResult<()> {
        self.query("UPDATE users SET is_active = $2, updated_at = $3 WHERE id = $1")
            .bind(id.0)
            .bind(active)
            .bind(at)
            .execute()
            .await?;
        Ok(())
    }

    async fn all(&mut self) -> StoreResult<Vec<User>> {
        let rows = self
            .query(concat!("SELECT ", user_columns!(), " FROM users u ORDER BY u.id"))
            .all::<UserRow>()
            .await?;
        rows.into_iter().map(User::try_from).collect()
    }
}
