// Makes the fetch of a Node that can't do it by itself read the proxy variables.
const { EnvHttpProxyAgent, setGlobalDispatcher } = require("undici");
setGlobalDispatcher(new EnvHttpProxyAgent());
