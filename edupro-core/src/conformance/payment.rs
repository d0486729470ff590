//! Whatever the core asks a payment provider, from the page to pay on until the money went back, and
//! what may happen on the way: questions that are repeated, given up, or put all at once, and
//! webhooks that somebody else wrote.

use std::{collections::HashSet, fmt::Debug, sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use rust_decimal::Decimal;
use tokio::time::timeout;

use super::{given_up_after, word, working};
use crate::{
    Clock, WebhookRequest,
    accounts::UserId,
    coupons::Item,
    entropy::{Entropy, SystemEntropy},
    payment::{
        Begin, Money, OrderRef, PaymentError, PaymentEvent, PaymentProvider, PaymentState, Terms,
        orders::{Order, OrderStatus},
    },
};

/// How long a student waits for an answer.
const PATIENCE: Duration = Duration::from_secs(15);
/// How many questions are put at once.
const CROWD: usize = 8;
/// How often a question is polled at most before it is given up.
const POLLS: usize = 60;

/// Names that nothing has. Some would lead elsewhere if they got into an address.
const STRANGERS: [&str; 8] =
    ["nothing_has_this_name", "", "..", "../refunds", "a/b", "a?b=c#d", "%2e%2e", "غريب\n"];

/// A webhook as it comes in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hook {
    /// Names, in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// Names and values, decoded.
    pub query: Vec<(String, String)>,
    /// The bytes.
    pub body: Vec<u8>,
}

/// The far side of a payment provider, as far as a test can make something happen there.
#[async_trait]
pub trait PaymentProbe: Debug + Send + Sync {
    /// Somebody pays for this order on the page of this session: the webhook that says so. `None`
    /// when there is no webhook.
    async fn pay(&self, order: &Order, session: &str) -> Option<Hook> {
        let _ = (order, session);
        None
    }

    /// The same provider with a far side that cannot be reached, if that can be had.
    fn unreachable(&self) -> Option<Arc<dyn PaymentProvider>> {
        None
    }

    /// What the provider knows and no log may show.
    fn secrets(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Everything that can be asked of a payment provider, once. It needs an account in which no real
/// money moves, or a double of the service.
///
/// # Panics
///
/// When a promise is not kept, or the provider does not work at all.
pub async fn all(provider: &dyn PaymentProvider, probe: &dyn PaymentProbe, clock: &dyn Clock) {
    let trial = Trial { provider, probe, clock };
    trial.says_who_it_is();
    trial.knows_no_strangers().await;
    trial.believes_nobody().await;
    let Some(terms) = provider.terms() else {
        trial.has_nothing_to_ask().await;
        return;
    };
    trial.begins(&terms).await;
    trial.bears_to_be_given_up(&terms).await;
    trial.serves_a_crowd(&terms).await;
    trial.closes_pages(&terms).await;
    trial.is_paid(&terms).await;
    trial.tells_when_nobody_is_there(&terms).await;
}

/// A provider that is looked at.
struct Trial<'a> {
    provider: &'a dyn PaymentProvider,
    probe: &'a dyn PaymentProbe,
    clock: &'a dyn Clock,
}

/// A page to pay on.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Page {
    session: String,
    url: String,
}

/// How something is asked that nobody has to answer.
fn is_unsupported<T>(answer: &Result<T, PaymentError>) -> bool {
    matches!(answer, Err(PaymentError::Unsupported(_)))
}

impl Trial<'_> {
    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// What a student wants to pay for.
    fn order(&self, terms: &Terms) -> Order {
        let now = self.now();
        let price = Decimal::new(5_000, 2);
        let amount = Money::of(price, terms.currency);
        Order {
            id: SystemEntropy.uuid(now),
            provider: self.provider.name().to_owned(),
            student: UserId(7),
            customer_email: format!("{}@pupils.example", word().to_lowercase()),
            item: Item {
                teacher: UserId(3),
                course: SystemEntropy.uuid(now),
                course_title: "أمواج & \"waves\"? 100%+ #1".to_owned(),
                module: None,
                price,
            },
            amount: amount.unwrap_or_else(|| panic!("{price} cannot be paid in this currency")),
            terms: terms.clone(),
            status: OrderStatus::Created,
            session: None,
            url: None,
            charge: None,
            refunded: Decimal::ZERO,
            problem: None,
            created_at: now,
            expires_at: now + TimeDelta::hours(2),
            paid_at: None,
        }
    }

    fn says_who_it_is(&self) {
        let name = self.provider.name();
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        assert!(!name.is_empty() && name.bytes().all(is_plain), "the name {name:?} is no word");
        assert_eq!(self.provider.name(), name, "the name changes");
        assert_eq!(self.provider.terms(), self.provider.terms(), "the terms change");
        self.is_discreet(&format!("{:?}", self.provider));
    }

    fn is_discreet(&self, shown: &str) {
        for secret in self.probe.secrets() {
            assert!(!shown.contains(&secret), "a log would show a secret of the provider");
        }
    }

    /// Nothing is shown, closed or given back under a name that nothing has.
    async fn knows_no_strangers(&self) {
        for name in STRANGERS {
            let shown = self.provider.fetch(name).await;
            let is_unknown = matches!(shown, Err(PaymentError::NotFound));
            assert!(is_unknown || is_unsupported(&shown), "a session {name:?} is there: {shown:?}");
            let closed = self.provider.cancel(name).await;
            let is_unknown = matches!(closed, Err(PaymentError::NotFound));
            assert!(is_unknown || is_unsupported(&closed), "{name:?} can be closed: {closed:?}");
            let money = Money { minor: 100, currency: self.currency() };
            let returned = self.provider.refund(name, money, &word()).await;
            let is_refused =
                matches!(returned, Err(PaymentError::NotFound | PaymentError::Rejected { .. }));
            assert!(
                is_refused || is_unsupported(&returned),
                "money of {name:?} goes back: {returned:?}"
            );
        }
    }

    fn currency(&self) -> crate::payment::Currency {
        let terms = self.provider.terms().map(|terms| terms.currency);
        terms.unwrap_or_else(|| working("a currency", "EGP".parse()))
    }

    async fn hears(&self, hook: &Hook) -> Result<Vec<PaymentEvent>, PaymentError> {
        let Hook { headers, query, body } = hook;
        let request = WebhookRequest { headers, query, body };
        self.provider.webhook(&request, self.now()).await
    }

    async fn believes_nobody(&self) {
        let bodies = [&b""[..], b"{}", b"[]", br#"{"id":"evt_1","type":"paid"}"#, b"\xff\xfe"];
        let pairs = |value: &str| {
            let names = ["stripe-signature", "x-signature", "signature", "token", "authorization"];
            names.map(|name| (name.to_owned(), value.to_owned())).to_vec()
        };
        for body in bodies.map(<[u8]>::to_vec) {
            for given in [Vec::new(), pairs(""), pairs("a guess"), pairs("t=0,v1=00")] {
                let hook = Hook { headers: given.clone(), query: given, body: body.clone() };
                let heard = self.hears(&hook).await;
                let is_refused = matches!(heard, Err(PaymentError::Rejected { .. }));
                assert!(
                    is_refused || is_unsupported(&heard),
                    "a webhook that proves nothing is not rejected: {heard:?}"
                );
            }
        }
    }

    /// Everything is settled while enrolling, so there is nobody to ask.
    async fn has_nothing_to_ask(&self) {
        let page = "https://school.example/courses".to_owned();
        let currency = self.currency();
        let terms = Terms { currency, success_url: page.clone(), cancel_url: page };
        let begun = self.provider.begin(&self.order(&terms)).await;
        let is_local = matches!(begun, Ok(Begin::Local));
        assert!(is_local, "there are no terms, and yet something is to be paid: {begun:?}");
        let heard = self.hears(&Hook::default()).await;
        assert!(is_unsupported(&heard), "there are no terms, and yet webhooks: {heard:?}");
    }

    async fn try_begin(&self, order: &Order) -> Result<Page, PaymentError> {
        let begun = timeout(PATIENCE, self.provider.begin(order)).await;
        match working("a student waits too long for a page to pay on", begun)? {
            Begin::Redirect { session, url, expires_at } => {
                let is_late = expires_at.is_some_and(|end| end <= self.now());
                assert!(!is_late, "a page is over when it opens");
                assert!(!session.is_empty(), "a session has no name");
                let is_address = url.starts_with("https://") || url.starts_with("http://");
                let is_plain = url.bytes().all(|byte| byte.is_ascii_graphic());
                assert!(is_address && is_plain, "{url:?} is no address of the web");
                Ok(Page { session, url })
            }
            Begin::Local => panic!("there are terms, and yet nothing is to be paid"),
        }
    }

    async fn begin(&self, order: &Order) -> Page {
        working("there is no page to pay on", self.try_begin(order).await)
    }

    async fn is_open(&self, session: &str) {
        let shown = self.provider.fetch(session).await;
        assert!(
            matches!(shown, Ok(PaymentState::Open)) || is_unsupported(&shown),
            "nobody has paid, and yet: {shown:?}"
        );
    }

    /// The answer may be lost on its way: asked again, it is the same.
    async fn begins(&self, terms: &Terms) {
        let order = self.order(terms);
        let page = self.begin(&order).await;
        for _ in 0..3 {
            assert_eq!(self.begin(&order).await, page, "an order has two pages to pay on");
            self.is_open(&page.session).await;
        }
        let other = self.begin(&self.order(terms)).await;
        assert_ne!(other.session, page.session, "two orders have one session");
        self.is_discreet(&format!("{:?} {order:?}", self.provider));
    }

    async fn bears_to_be_given_up(&self, terms: &Terms) {
        for polls in 1..=POLLS {
            let order = self.order(terms);
            let begun = given_up_after(polls, self.try_begin(&order)).await;
            let page = self.begin(&order).await;
            if let Some(begun) = begun {
                let begun = working("there is no page to pay on", begun);
                assert_eq!(begun, page, "an order has two pages to pay on");
            }
            assert_eq!(self.begin(&order).await, page, "an order has two pages to pay on");
            let is_done = given_up_after(polls, self.provider.fetch(&page.session)).await.is_some();
            self.is_open(&page.session).await;
            if is_done {
                break;
            }
        }
    }

    async fn serves_a_crowd(&self, terms: &Terms) {
        let order = self.order(terms);
        let asked = join_all((0..CROWD).map(|_| self.try_begin(&order))).await;
        let page = self.begin(&order).await;
        for begun in asked {
            match begun {
                Ok(begun) => assert_eq!(begun, page, "an order has two pages to pay on"),
                // Some want the first to be answered before they are asked again.
                Err(PaymentError::Unavailable { .. }) => {}
                Err(error) => panic!("of many who begin one order, one gets {error:?}"),
            }
        }
        let orders: Vec<_> = (0..CROWD).map(|_| self.order(terms)).collect();
        let pages = join_all(orders.iter().map(|order| self.begin(order))).await;
        let sessions: HashSet<_> = pages.iter().map(|page| &page.session).collect();
        assert_eq!(sessions.len(), CROWD, "orders share a session");
    }

    async fn closes_pages(&self, terms: &Terms) {
        let page = self.begin(&self.order(terms)).await;
        let closed = self.provider.cancel(&page.session).await;
        if is_unsupported(&closed) {
            return;
        }
        working("a page cannot be closed", closed);
        let shown = self.provider.fetch(&page.session).await;
        let is_over = matches!(shown, Ok(PaymentState::Expired | PaymentState::Failed { .. }));
        assert!(is_over || is_unsupported(&shown), "a page that was closed: {shown:?}");
        let again = self.provider.cancel(&page.session).await;
        let is_final =
            matches!(again, Ok(()) | Err(PaymentError::Rejected { .. } | PaymentError::NotFound));
        assert!(is_final, "closing a page twice would be tried again: {again:?}");
    }

    async fn is_paid(&self, terms: &Terms) {
        let order = self.order(terms);
        let page = self.begin(&order).await;
        let Some(hook) = self.probe.pay(&order, &page.session).await else { return };
        let charge = self.reports(&order, &page, &hook).await;
        self.believes_no_forgery(&hook).await;
        let closed = self.provider.cancel(&page.session).await;
        assert!(closed.is_err(), "a page on which somebody has paid can be closed");
        let shown = self.provider.fetch(&page.session).await;
        match shown {
            Ok(PaymentState::Paid { amount, charge: shown }) => {
                assert_eq!(amount, order.amount, "another amount was paid");
                assert_eq!(shown, charge, "a charge has two names");
            }
            shown => assert!(is_unsupported(&shown), "somebody has paid, and yet: {shown:?}"),
        }
        self.gives_back(&order, &charge).await;
    }

    /// The webhook says that this order is paid, whenever it comes. Returns the charge.
    async fn reports(&self, order: &Order, page: &Page, hook: &Hook) -> String {
        let events = working("a genuine webhook is refused", self.hears(hook).await);
        let again = working("a genuine webhook is refused later", self.hears(hook).await);
        assert_eq!(again, events, "a webhook that comes twice says something else");
        let ids: HashSet<_> = events.iter().map(|event| &event.id).collect();
        let are_named = ids.len() == events.len() && !ids.contains(&String::new());
        assert!(are_named, "events share a name: {events:?}");
        let is_ours = |event: &&PaymentEvent| match &event.order {
            OrderRef::Order(id) => *id == order.id,
            OrderRef::Session(session) => *session == page.session,
            OrderRef::Charge(_) => false,
        };
        let charge = events.iter().filter(is_ours).find_map(|event| match &event.state {
            PaymentState::Paid { amount, charge } => {
                assert_eq!(*amount, order.amount, "another amount was paid");
                Some(charge.clone())
            }
            _ => None,
        });
        let charge = charge.filter(|charge: &String| !charge.is_empty());
        charge.unwrap_or_else(|| panic!("a webhook does not say who has paid: {events:?}"))
    }

    /// Nothing is believed without its proof, and nothing that was altered says anything new.
    async fn believes_no_forgery(&self, hook: &Hook) {
        let genuine = working("a genuine webhook is refused", self.hears(hook).await);
        let bare = Hook { headers: Vec::new(), query: Vec::new(), body: hook.body.clone() };
        let empty = Hook { body: Vec::new(), ..hook.clone() };
        for forged in [bare, empty] {
            let heard = self.hears(&forged).await;
            let is_refused = matches!(heard, Err(PaymentError::Rejected { .. }));
            assert!(is_refused, "a forged webhook is not rejected: {heard:?}");
        }
        let mut bodies = vec![[&hook.body[..], b" "].concat()];
        bodies.extend(hook.body.split_last().map(|(_, rest)| rest.to_vec()));
        for at in 0..hook.body.len() {
            let mut body = hook.body.clone();
            body[at] ^= 1;
            bodies.push(body);
        }
        for body in bodies {
            match self.hears(&Hook { body, ..hook.clone() }).await {
                Err(PaymentError::Rejected { .. }) => {}
                // It is only a hint, and the provider was asked.
                Ok(heard) if heard == genuine => {}
                heard => panic!("a webhook that was altered is believed: {heard:?}"),
            }
        }
        let again =
            working("a genuine webhook is refused after forged ones", self.hears(hook).await);
        assert_eq!(again, genuine, "a webhook says something else after forged ones");
    }

    async fn gives_back(&self, order: &Order, charge: &str) {
        let half = Money { minor: order.amount.minor / 2, ..order.amount };
        let key = word();
        let returned = self.provider.refund(charge, half, &key).await;
        if is_unsupported(&returned) {
            return;
        }
        let refund = working("money cannot be given back", returned);
        for polls in 1..=POLLS {
            let again = given_up_after(polls, self.provider.refund(charge, half, &key)).await;
            if let Some(again) = again {
                let again = working("a refund cannot be repeated", again);
                assert_eq!(again, refund, "the same key gives money back twice");
                break;
            }
        }
        let too_much = self.provider.refund(charge, order.amount, &word()).await;
        let is_refused = matches!(too_much, Err(PaymentError::Rejected { .. }));
        assert!(is_refused, "more goes back than is left: {too_much:?}");
        let rest = Money { minor: order.amount.minor - half.minor, ..half };
        let other = self.provider.refund(charge, rest, &word()).await;
        let other = working("the rest cannot be given back: was the half given back twice?", other);
        assert_ne!(other, refund, "two refunds have one name");
    }

    async fn tells_when_nobody_is_there(&self, terms: &Terms) {
        let order = self.order(terms);
        let page = self.begin(&order).await;
        let Some(provider) = self.probe.unreachable() else { return };
        let lost = Trial { provider: &*provider, ..*self };
        let half = Money { minor: order.amount.minor / 2, ..order.amount };
        let key = word();
        let answers = async {
            [
                ("beginning", provider.begin(&order).await.map(drop)),
                ("asking", provider.fetch(&page.session).await.map(drop)),
                ("closing", provider.cancel(&page.session).await),
                ("giving back", provider.refund("charge_1", half, &key).await.map(drop)),
            ]
        };
        let late = "a provider that reaches nobody hangs";
        for (what, answer) in working(late, timeout(4 * PATIENCE, answers).await) {
            let is_told = matches!(answer, Err(PaymentError::Unavailable { .. }));
            assert!(
                is_told || is_unsupported(&answer),
                "{what} reaches nobody and would not be tried again: {answer:?}"
            );
            lost.is_discreet(&format!("{answer:?}"));
        }
        lost.says_who_it_is();
    }
}
