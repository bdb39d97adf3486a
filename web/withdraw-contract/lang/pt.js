/** The words of the law; the rest is in English. */
import english from "./en.js";

export default {
  ...english,
  texts: "en",
  withdraw: "Retrate-se do contrato aqui",
  confirm: "Confirmar retratação",
};
