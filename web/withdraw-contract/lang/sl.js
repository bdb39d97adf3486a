/** The words of the law; the rest is in English. */
import english from "./en.js";

export default {
  ...english,
  texts: "en",
  withdraw: "Kliknite tukaj za odstop od pogodbe",
  confirm: "Potrdi odstop od pogodbe",
};
