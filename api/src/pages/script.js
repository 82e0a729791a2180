"use strict";
const $ = (id) => document.getElementById(id);
const page = document.querySelector("main").dataset.page;
// Whatever stands behind # never went to a server. It must not stay in the history either.
const secret = decodeURIComponent(location.hash.slice(1));
history.replaceState(null, "", location.pathname);
let token = null;

class Refused extends Error {}

async function ask(query, variables) {
  const headers = { "content-type": "application/json" };
  if (token) headers.authorization = "Bearer " + token;
  let response, answer;
  try {
    response = await fetch("graphql", { method: "POST", headers, body: JSON.stringify({ query, variables }) });
    answer = await response.json();
  } catch {
    throw new Refused("The service cannot be reached. Try again in a moment.");
  }
  if (response.status === 429) {
    const seconds = Number(response.headers.get("retry-after")) || 60;
    const wait = seconds < 120 ? seconds + " seconds" : Math.ceil(seconds / 60) + " minutes";
    throw new Refused("That was tried too often. Try again in " + wait + ".");
  }
  const failed = answer.errors || (answer.error && [answer.error]);
  if (failed && failed.length) throw new Refused(sentence(failed[0].message));
  return answer.data;
}

async function change(name, type, input, fields = "") {
  const query = `mutation Do($input: ${type}) { done: ${name}(input: $input) { ${fields} errors { code message } } }`;
  const { done } = await ask(query, { input });
  if (done.errors.length) throw new Refused(sentence(done.errors[0].message));
  return done;
}

const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");

function finish(text) {
  for (const form of document.forms) form.hidden = true;
  $("done").textContent = text;
  $("done").focus();
}

// What somebody sends is done once at a time, and said if it fails.
function on(form, work) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const buttons = form.querySelectorAll("button");
    buttons.forEach((button) => { button.disabled = true; });
    $("failed").textContent = "";
    try {
      await work(event.submitter);
    } catch (error) {
      $("failed").textContent = error instanceof Refused ? error.message : "Something went wrong here.";
    } finally {
      buttons.forEach((button) => { button.disabled = false; });
    }
  });
}

function deviceId() {
  const random = () => {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const digits = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  };
  try {
    const known = localStorage.getItem("playheadDevice") || random();
    localStorage.setItem("playheadDevice", known);
    return known;
  } catch {
    return random();
  }
}

async function signOut() {
  try {
    await change("signOut", "SignOutInput", {});
  } catch {
    // Its time ends, too.
  }
  token = null;
}

const KINDS = { TV: "A television", PHONE: "A phone", TABLET: "A tablet", COMPUTER: "A computer", CONSOLE: "A game console" };

const pages = {
  "verify-email": async () => {
    await change("verifyEmail", "VerifyEmailInput!", { code: secret });
    finish("Your address is confirmed. You can sign in now.");
  },
  "confirm-email": async () => {
    await change("confirmEmailChange", "ConfirmEmailChangeInput!", { code: secret });
    finish("Your new address is confirmed, and counts from now on.");
  },
  "reset-password": async () => {
    await change("resetPassword", "ResetPasswordInput!", { code: secret, newPassword: $("newPassword").value });
    finish("Your new password counts. Sign in with it.");
  },
  "forgot-password": async () => {
    await change("requestPasswordReset", "RequestPasswordResetInput!", { email: $("email").value });
    finish("If this address has an account, a mail is on its way.");
  },
  "device": async () => {
    const input = { email: $("email").value, password: $("password").value, deviceId: deviceId() };
    const { tokens } = await change("signIn", "SignInInput!", input, "tokens { accessToken }");
    token = tokens.accessToken;
    const query = "query Waiting($code: String!) { waitingDevice(userCode: $code) { kind } }";
    let waiting;
    try {
      waiting = (await ask(query, { code: $("userCode").value })).waitingDevice;
    } catch (error) {
      await signOut();
      throw error;
    }
    if (!waiting) {
      await signOut();
      throw new Refused("No device waits with this code. Compare it with the device, or let it show a new one.");
    }
    $("password").value = "";
    $("step").hidden = true;
    $("decision").hidden = false;
    $("waiting").textContent = (KINDS[waiting.kind] || "A device") + " with the code " + $("userCode").value + " waits";
    $("waiting").focus();
  },
};

on($("step"), pages[page]);
if (page === "device") {
  $("userCode").value = secret.slice(0, 20);
  on($("decision"), async (pressed) => {
    const denied = pressed && pressed.value === "deny";
    const input = { userCode: $("userCode").value };
    if (denied) await change("denyDevice", "DenyDeviceInput!", input);
    else await change("approveDevice", "ApproveDeviceInput!", input);
    await signOut();
    finish(denied ? "The device was not let in." : "Done. The device goes on by itself in a moment.");
  });
} else if ($("broken") && !secret) {
  $("broken").hidden = false;
  $("step").hidden = true;
}
