/** Two deployments for the table of threats: what is there by default, and with all controls on. */
export { threatOthers, threatSettings } from "../../docs/threats";
