/**
 * Who is signed in. Two kinds, by `sign_in.kind` of config.json: `local` asks the local stack's own token service,
 * `oidc` sends the customer to the issuer (authorization code with PKCE, by oidc-client-ts).
 *
 * A session: `name` (null when nobody is signed in), `token()` (the access token or null), `signIn(customer)`, `forget()`,
 * `signOut()`.
 */

/** @param {any} signIn */
export function openSession(signIn) {
  return signIn.kind === "oidc" ? oidcSession(signIn) : localSession(signIn);
}

// ------------------------------------------------------------------ the local stack

const KEPT = "cancel-core.session";

function localSession(signIn) {
  const kept = () => {
    const session = JSON.parse(localStorage.getItem(KEPT) ?? "null");
    return session && session.until > Date.now() ? session : null;
  };
  // Signing in or out in another tab applies here, too.
  addEventListener("storage", (event) => event.key === KEPT && location.reload());
  return {
    kind: "local",
    customers: signIn.customers,
    name: kept()?.name ?? null,
    token: async () => kept()?.token ?? null,
    async signIn({ customer_id, name }) {
      const answer = await fetch("/local/tokens", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ customer_id }),
      });
      if (!answer.ok) throw new Error(`the token service answered ${answer.status}`);
      const { token } = await answer.json();
      const { exp } = JSON.parse(atob(token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/")));
      localStorage.setItem(KEPT, JSON.stringify({ token, name: name || customer_id, until: exp * 1000 }));
      location.reload();
    },
    forget: async () => localStorage.removeItem(KEPT),
    async signOut() {
      localStorage.removeItem(KEPT);
      location.assign("./");
    },
  };
}

// ------------------------------------------------------------------ an OpenID Connect issuer

async function oidcSession(signIn) {
  const { UserManager } = await import("./vendor/oidc-client-ts.js");
  const home = new URL("./", location.href).href;
  const manager = new UserManager({
    authority: signIn.issuer,
    client_id: signIn.client_id,
    scope: signIn.scope ?? "openid",
    redirect_uri: home,
    post_logout_redirect_uri: home,
    // Frames are forbidden here: a session is renewed by a refresh token where the issuer gives one.
    automaticSilentRenew: false,
  });
  const asked = new URLSearchParams(location.search);
  if (asked.has("state") && (asked.has("code") || asked.has("error"))) {
    let back = home;
    try {
      back = (await manager.signinCallback())?.state ?? home;
    } catch {
      // Refused by the issuer, or an old link: the page offers to sign in again.
    }
    // Redirects only to a page of this site.
    location.replace(new URL(back, home).origin === location.origin ? back : home);
    await new Promise(() => {});
  }
  const user = async () => {
    const known = await manager.getUser();
    if (!known?.expired) return known;
    try {
      return known.refresh_token ? await manager.signinSilent() : null;
    } catch {
      return null;
    }
  };
  const profile = (await user())?.profile;
  return {
    kind: "oidc",
    customers: [],
    name: profile ? String(profile.given_name ?? profile.name ?? profile.email ?? profile.preferred_username ?? "") : null,
    token: async () => (await user())?.access_token ?? null,
    signIn: () => manager.signinRedirect({ state: location.href }),
    forget: () => manager.removeUser(),
    async signOut() {
      const { end_session_endpoint: end } = await manager.metadataService.getMetadata();
      if (end) await manager.signoutRedirect();
      else {
        await manager.removeUser();
        location.assign(home);
      }
    },
  };
}
