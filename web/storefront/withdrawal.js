/** The withdrawal function, set up for these pages: apart from them, because few of them need it at once. */
import { config, session } from "./shell.js";
import { WithdrawContract } from "./withdraw-contract/withdraw-contract.js";

WithdrawContract.api = config.api;
WithdrawContract.getToken = () => session.token();
