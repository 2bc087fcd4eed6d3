// node_modules/@lit/reactive-element/css-tag.js
var e = globalThis, t = e.ShadowRoot && (e.ShadyCSS === void 0 || e.ShadyCSS.nativeShadow) && "adoptedStyleSheets" in Document.prototype && "replace" in CSSStyleSheet.prototype, n = Symbol(), r = /* @__PURE__ */ new WeakMap(), i = class {
	constructor(e, t, r) {
		if (this._$cssResult$ = !0, r !== n) throw Error("CSSResult is not constructable. Use `unsafeCSS` or `css` instead.");
		this.cssText = e, this.t = t;
	}
	get styleSheet() {
		let e = this.o, n = this.t;
		if (t && e === void 0) {
			let t = n !== void 0 && n.length === 1;
			t && (e = r.get(n)), e === void 0 && ((this.o = e = new CSSStyleSheet()).replaceSync(this.cssText), t && r.set(n, e));
		}
		return e;
	}
	toString() {
		return this.cssText;
	}
}, a = (e) => new i(typeof e == "string" ? e : e + "", void 0, n), o = (e, ...t) => new i(e.length === 1 ? e[0] : t.reduce((t, n, r) => t + ((e) => {
	if (!0 === e._$cssResult$) return e.cssText;
	if (typeof e == "number") return e;
	throw Error("Value passed to 'css' function must be a 'css' function result: " + e + ". Use 'unsafeCSS' to pass non-literal values, but take care to ensure page security.");
})(n) + e[r + 1], e[0]), e, n), s = (n, r) => {
	if (t) n.adoptedStyleSheets = r.map((e) => e instanceof CSSStyleSheet ? e : e.styleSheet);
	else for (let t of r) {
		let r = document.createElement("style"), i = e.litNonce;
		i !== void 0 && r.setAttribute("nonce", i), r.textContent = t.cssText, n.appendChild(r);
	}
}, c = t ? (e) => e : (e) => e instanceof CSSStyleSheet ? ((e) => {
	let t = "";
	for (let n of e.cssRules) t += n.cssText;
	return a(t);
})(e) : e, { is: l, defineProperty: u, getOwnPropertyDescriptor: d, getOwnPropertyNames: ee, getOwnPropertySymbols: te, getPrototypeOf: ne } = Object, f = globalThis, re = f.trustedTypes, ie = re ? re.emptyScript : "", ae = f.reactiveElementPolyfillSupport, p = (e, t) => e, m = {
	toAttribute(e, t) {
		switch (t) {
			case Boolean:
				e = e ? ie : null;
				break;
			case Object:
			case Array: e = e == null ? e : JSON.stringify(e);
		}
		return e;
	},
	fromAttribute(e, t) {
		let n = e;
		switch (t) {
			case Boolean:
				n = e !== null;
				break;
			case Number:
				n = e === null ? null : Number(e);
				break;
			case Object:
			case Array: try {
				n = JSON.parse(e);
			} catch {
				n = null;
			}
		}
		return n;
	}
}, oe = (e, t) => !l(e, t), se = {
	attribute: !0,
	type: String,
	converter: m,
	reflect: !1,
	useDefault: !1,
	hasChanged: oe
};
Symbol.metadata ??= Symbol("metadata"), f.litPropertyMetadata ??= /* @__PURE__ */ new WeakMap();
var h = class extends HTMLElement {
	static addInitializer(e) {
		this._$Ei(), (this.l ??= []).push(e);
	}
	static get observedAttributes() {
		return this.finalize(), this._$Eh && [...this._$Eh.keys()];
	}
	static createProperty(e, t = se) {
		if (t.state && (t.attribute = !1), this._$Ei(), this.prototype.hasOwnProperty(e) && ((t = Object.create(t)).wrapped = !0), this.elementProperties.set(e, t), !t.noAccessor) {
			let n = Symbol(), r = this.getPropertyDescriptor(e, n, t);
			r !== void 0 && u(this.prototype, e, r);
		}
	}
	static getPropertyDescriptor(e, t, n) {
		let { get: r, set: i } = d(this.prototype, e) ?? {
			get() {
				return this[t];
			},
			set(e) {
				this[t] = e;
			}
		};
		return {
			get: r,
			set(t) {
				let a = r?.call(this);
				i?.call(this, t), this.requestUpdate(e, a, n);
			},
			configurable: !0,
			enumerable: !0
		};
	}
	static getPropertyOptions(e) {
		return this.elementProperties.get(e) ?? se;
	}
	static _$Ei() {
		if (this.hasOwnProperty(p("elementProperties"))) return;
		let e = ne(this);
		e.finalize(), e.l !== void 0 && (this.l = [...e.l]), this.elementProperties = new Map(e.elementProperties);
	}
	static finalize() {
		if (this.hasOwnProperty(p("finalized"))) return;
		if (this.finalized = !0, this._$Ei(), this.hasOwnProperty(p("properties"))) {
			let e = this.properties, t = [...ee(e), ...te(e)];
			for (let n of t) this.createProperty(n, e[n]);
		}
		let e = this[Symbol.metadata];
		if (e !== null) {
			let t = litPropertyMetadata.get(e);
			if (t !== void 0) for (let [e, n] of t) this.elementProperties.set(e, n);
		}
		this._$Eh = /* @__PURE__ */ new Map();
		for (let [e, t] of this.elementProperties) {
			let n = this._$Eu(e, t);
			n !== void 0 && this._$Eh.set(n, e);
		}
		this.elementStyles = this.finalizeStyles(this.styles);
	}
	static finalizeStyles(e) {
		let t = [];
		if (Array.isArray(e)) {
			let n = new Set(e.flat(1 / 0).reverse());
			for (let e of n) t.unshift(c(e));
		} else e !== void 0 && t.push(c(e));
		return t;
	}
	static _$Eu(e, t) {
		let n = t.attribute;
		return !1 === n ? void 0 : typeof n == "string" ? n : typeof e == "string" ? e.toLowerCase() : void 0;
	}
	constructor() {
		super(), this._$Ep = void 0, this.isUpdatePending = !1, this.hasUpdated = !1, this._$Em = null, this._$Ev();
	}
	_$Ev() {
		this._$ES = new Promise((e) => this.enableUpdating = e), this._$AL = /* @__PURE__ */ new Map(), this._$E_(), this.requestUpdate(), this.constructor.l?.forEach((e) => e(this));
	}
	addController(e) {
		(this._$EO ??= /* @__PURE__ */ new Set()).add(e), this.renderRoot !== void 0 && this.isConnected && e.hostConnected?.();
	}
	removeController(e) {
		this._$EO?.delete(e);
	}
	_$E_() {
		let e = /* @__PURE__ */ new Map(), t = this.constructor.elementProperties;
		for (let n of t.keys()) this.hasOwnProperty(n) && (e.set(n, this[n]), delete this[n]);
		e.size > 0 && (this._$Ep = e);
	}
	createRenderRoot() {
		let e = this.shadowRoot ?? this.attachShadow(this.constructor.shadowRootOptions);
		return s(e, this.constructor.elementStyles), e;
	}
	connectedCallback() {
		this.renderRoot ??= this.createRenderRoot(), this.enableUpdating(!0), this._$EO?.forEach((e) => e.hostConnected?.());
	}
	enableUpdating(e) {}
	disconnectedCallback() {
		this._$EO?.forEach((e) => e.hostDisconnected?.());
	}
	attributeChangedCallback(e, t, n) {
		this._$AK(e, n);
	}
	_$ET(e, t) {
		let n = this.constructor.elementProperties.get(e), r = this.constructor._$Eu(e, n);
		if (r !== void 0 && !0 === n.reflect) {
			let i = (n.converter?.toAttribute === void 0 ? m : n.converter).toAttribute(t, n.type);
			this._$Em = e, i == null ? this.removeAttribute(r) : this.setAttribute(r, i), this._$Em = null;
		}
	}
	_$AK(e, t) {
		let n = this.constructor, r = n._$Eh.get(e);
		if (r !== void 0 && this._$Em !== r) {
			let e = n.getPropertyOptions(r), i = typeof e.converter == "function" ? { fromAttribute: e.converter } : e.converter?.fromAttribute === void 0 ? m : e.converter;
			this._$Em = r;
			let a = i.fromAttribute(t, e.type);
			this[r] = a ?? this._$Ej?.get(r) ?? a, this._$Em = null;
		}
	}
	requestUpdate(e, t, n, r = !1, i) {
		if (e !== void 0) {
			let a = this.constructor;
			if (!1 === r && (i = this[e]), n ??= a.getPropertyOptions(e), !((n.hasChanged ?? oe)(i, t) || n.useDefault && n.reflect && i === this._$Ej?.get(e) && !this.hasAttribute(a._$Eu(e, n)))) return;
			this.C(e, t, n);
		}
		!1 === this.isUpdatePending && (this._$ES = this._$EP());
	}
	C(e, t, { useDefault: n, reflect: r, wrapped: i }, a) {
		n && !(this._$Ej ??= /* @__PURE__ */ new Map()).has(e) && (this._$Ej.set(e, a ?? t ?? this[e]), !0 !== i || a !== void 0) || (this._$AL.has(e) || (this.hasUpdated || n || (t = void 0), this._$AL.set(e, t)), !0 === r && this._$Em !== e && (this._$Eq ??= /* @__PURE__ */ new Set()).add(e));
	}
	async _$EP() {
		this.isUpdatePending = !0;
		try {
			await this._$ES;
		} catch (e) {
			Promise.reject(e);
		}
		let e = this.scheduleUpdate();
		return e != null && await e, !this.isUpdatePending;
	}
	scheduleUpdate() {
		return this.performUpdate();
	}
	performUpdate() {
		if (!this.isUpdatePending) return;
		if (!this.hasUpdated) {
			if (this.renderRoot ??= this.createRenderRoot(), this._$Ep) {
				for (let [e, t] of this._$Ep) this[e] = t;
				this._$Ep = void 0;
			}
			let e = this.constructor.elementProperties;
			if (e.size > 0) for (let [t, n] of e) {
				let { wrapped: e } = n, r = this[t];
				!0 !== e || this._$AL.has(t) || r === void 0 || this.C(t, void 0, n, r);
			}
		}
		let e = !1, t = this._$AL;
		try {
			e = this.shouldUpdate(t), e ? (this.willUpdate(t), this._$EO?.forEach((e) => e.hostUpdate?.()), this.update(t)) : this._$EM();
		} catch (t) {
			throw e = !1, this._$EM(), t;
		}
		e && this._$AE(t);
	}
	willUpdate(e) {}
	_$AE(e) {
		this._$EO?.forEach((e) => e.hostUpdated?.()), this.hasUpdated || (this.hasUpdated = !0, this.firstUpdated(e)), this.updated(e);
	}
	_$EM() {
		this._$AL = /* @__PURE__ */ new Map(), this.isUpdatePending = !1;
	}
	get updateComplete() {
		return this.getUpdateComplete();
	}
	getUpdateComplete() {
		return this._$ES;
	}
	shouldUpdate(e) {
		return !0;
	}
	update(e) {
		this._$Eq &&= this._$Eq.forEach((e) => this._$ET(e, this[e])), this._$EM();
	}
	updated(e) {}
	firstUpdated(e) {}
};
h.elementStyles = [], h.shadowRootOptions = { mode: "open" }, h[p("elementProperties")] = /* @__PURE__ */ new Map(), h[p("finalized")] = /* @__PURE__ */ new Map(), ae?.({ ReactiveElement: h }), (f.reactiveElementVersions ??= []).push("2.1.2");
// node_modules/lit-html/lit-html.js
var g = globalThis, _ = (e) => e, v = g.trustedTypes, y = v ? v.createPolicy("lit-html", { createHTML: (e) => e }) : void 0, ce = "$lit$", b = `lit$${Math.random().toFixed(9).slice(2)}$`, le = "?" + b, ue = `<${le}>`, x = document, S = () => x.createComment(""), C = (e) => e === null || typeof e != "object" && typeof e != "function", w = Array.isArray, de = (e) => w(e) || typeof e?.[Symbol.iterator] == "function", T = "[ 	\n\f\r]", E = /<(?:(!--|\/[^a-zA-Z])|(\/?[a-zA-Z][^>\s]*)|(\/?$))/g, fe = /-->/g, pe = />/g, D = RegExp(`>|${T}(?:([^\\s"'>=/]+)(${T}*=${T}*(?:[^ \t\n\f\r"'\`<>=]|("|')|))|$)`, "g"), O = /'/g, k = /"/g, me = /^(?:script|style|textarea|title)$/i, A = ((e) => (t, ...n) => ({
	_$litType$: e,
	strings: t,
	values: n
}))(1), j = Symbol.for("lit-noChange"), M = Symbol.for("lit-nothing"), he = /* @__PURE__ */ new WeakMap(), N = x.createTreeWalker(x, 129);
function ge(e, t) {
	if (!w(e) || !e.hasOwnProperty("raw")) throw Error("invalid template strings array");
	return y === void 0 ? t : y.createHTML(t);
}
var _e = (e, t) => {
	let n = e.length - 1, r = [], i, a = t === 2 ? "<svg>" : t === 3 ? "<math>" : "", o = E;
	for (let t = 0; t < n; t++) {
		let n = e[t], s, c, l = -1, u = 0;
		for (; u < n.length && (o.lastIndex = u, c = o.exec(n), c !== null);) u = o.lastIndex, o === E ? c[1] === "!--" ? o = fe : c[1] === void 0 ? c[2] === void 0 ? c[3] !== void 0 && (o = D) : (me.test(c[2]) && (i = RegExp("</" + c[2], "g")), o = D) : o = pe : o === D ? c[0] === ">" ? (o = i ?? E, l = -1) : c[1] === void 0 ? l = -2 : (l = o.lastIndex - c[2].length, s = c[1], o = c[3] === void 0 ? D : c[3] === "\"" ? k : O) : o === k || o === O ? o = D : o === fe || o === pe ? o = E : (o = D, i = void 0);
		let d = o === D && e[t + 1].startsWith("/>") ? " " : "";
		a += o === E ? n + ue : l >= 0 ? (r.push(s), n.slice(0, l) + ce + n.slice(l) + b + d) : n + b + (l === -2 ? t : d);
	}
	return [ge(e, a + (e[n] || "<?>") + (t === 2 ? "</svg>" : t === 3 ? "</math>" : "")), r];
}, P = class e {
	constructor({ strings: t, _$litType$: n }, r) {
		let i;
		this.parts = [];
		let a = 0, o = 0, s = t.length - 1, c = this.parts, [l, u] = _e(t, n);
		if (this.el = e.createElement(l, r), N.currentNode = this.el.content, n === 2 || n === 3) {
			let e = this.el.content.firstChild;
			e.replaceWith(...e.childNodes);
		}
		for (; (i = N.nextNode()) !== null && c.length < s;) {
			if (i.nodeType === 1) {
				if (i.hasAttributes()) for (let e of i.getAttributeNames()) if (e.endsWith(ce)) {
					let t = u[o++], n = i.getAttribute(e).split(b), r = /([.?@])?(.*)/.exec(t);
					c.push({
						type: 1,
						index: a,
						name: r[2],
						strings: n,
						ctor: r[1] === "." ? ye : r[1] === "?" ? be : r[1] === "@" ? xe : L
					}), i.removeAttribute(e);
				} else e.startsWith(b) && (c.push({
					type: 6,
					index: a
				}), i.removeAttribute(e));
				if (me.test(i.tagName)) {
					let e = i.textContent.split(b), t = e.length - 1;
					if (t > 0) {
						i.textContent = v ? v.emptyScript : "";
						for (let n = 0; n < t; n++) i.append(e[n], S()), N.nextNode(), c.push({
							type: 2,
							index: ++a
						});
						i.append(e[t], S());
					}
				}
			} else if (i.nodeType === 8) {
				if (i.data === le) c.push({
					type: 2,
					index: a
				});
				else {
					let e = -1;
					for (; (e = i.data.indexOf(b, e + 1)) !== -1;) c.push({
						type: 7,
						index: a
					}), e += b.length - 1;
				}
			}
			a++;
		}
	}
	static createElement(e, t) {
		let n = x.createElement("template");
		return n.innerHTML = e, n;
	}
};
function F(e, t, n = e, r) {
	if (t === j) return t;
	let i = r === void 0 ? n._$Cl : n._$Co?.[r], a = C(t) ? void 0 : t._$litDirective$;
	return i?.constructor !== a && (i?._$AO?.(!1), a === void 0 ? i = void 0 : (i = new a(e), i._$AT(e, n, r)), r === void 0 ? n._$Cl = i : (n._$Co ??= [])[r] = i), i !== void 0 && (t = F(e, i._$AS(e, t.values), i, r)), t;
}
var ve = class {
	constructor(e, t) {
		this._$AV = [], this._$AN = void 0, this._$AD = e, this._$AM = t;
	}
	get parentNode() {
		return this._$AM.parentNode;
	}
	get _$AU() {
		return this._$AM._$AU;
	}
	u(e) {
		let { el: { content: t }, parts: n } = this._$AD, r = (e?.creationScope ?? x).importNode(t, !0);
		N.currentNode = r;
		let i = N.nextNode(), a = 0, o = 0, s = n[0];
		for (; s !== void 0;) {
			if (a === s.index) {
				let t;
				s.type === 2 ? t = new I(i, i.nextSibling, this, e) : s.type === 1 ? t = new s.ctor(i, s.name, s.strings, this, e) : s.type === 6 && (t = new Se(i, this, e)), this._$AV.push(t), s = n[++o];
			}
			a !== s?.index && (i = N.nextNode(), a++);
		}
		return N.currentNode = x, r;
	}
	p(e) {
		let t = 0;
		for (let n of this._$AV) n !== void 0 && (n.strings === void 0 ? n._$AI(e[t]) : (n._$AI(e, n, t), t += n.strings.length - 2)), t++;
	}
}, I = class e {
	get _$AU() {
		return this._$AM?._$AU ?? this._$Cv;
	}
	constructor(e, t, n, r) {
		this.type = 2, this._$AH = M, this._$AN = void 0, this._$AA = e, this._$AB = t, this._$AM = n, this.options = r, this._$Cv = r?.isConnected ?? !0;
	}
	get parentNode() {
		let e = this._$AA.parentNode, t = this._$AM;
		return t !== void 0 && e?.nodeType === 11 && (e = t.parentNode), e;
	}
	get startNode() {
		return this._$AA;
	}
	get endNode() {
		return this._$AB;
	}
	_$AI(e, t = this) {
		e = F(this, e, t), C(e) ? e === M || e == null || e === "" ? (this._$AH !== M && this._$AR(), this._$AH = M) : e !== this._$AH && e !== j && this._(e) : e._$litType$ === void 0 ? e.nodeType === void 0 ? de(e) ? this.k(e) : this._(e) : this.T(e) : this.$(e);
	}
	O(e) {
		return this._$AA.parentNode.insertBefore(e, this._$AB);
	}
	T(e) {
		this._$AH !== e && (this._$AR(), this._$AH = this.O(e));
	}
	_(e) {
		this._$AH !== M && C(this._$AH) ? this._$AA.nextSibling.data = e : this.T(x.createTextNode(e)), this._$AH = e;
	}
	$(e) {
		let { values: t, _$litType$: n } = e, r = typeof n == "number" ? this._$AC(e) : (n.el === void 0 && (n.el = P.createElement(ge(n.h, n.h[0]), this.options)), n);
		if (this._$AH?._$AD === r) this._$AH.p(t);
		else {
			let e = new ve(r, this), n = e.u(this.options);
			e.p(t), this.T(n), this._$AH = e;
		}
	}
	_$AC(e) {
		let t = he.get(e.strings);
		return t === void 0 && he.set(e.strings, t = new P(e)), t;
	}
	k(t) {
		w(this._$AH) || (this._$AH = [], this._$AR());
		let n = this._$AH, r, i = 0;
		for (let a of t) i === n.length ? n.push(r = new e(this.O(S()), this.O(S()), this, this.options)) : r = n[i], r._$AI(a), i++;
		i < n.length && (this._$AR(r && r._$AB.nextSibling, i), n.length = i);
	}
	_$AR(e = this._$AA.nextSibling, t) {
		for (this._$AP?.(!1, !0, t); e !== this._$AB;) {
			let t = _(e).nextSibling;
			_(e).remove(), e = t;
		}
	}
	setConnected(e) {
		this._$AM === void 0 && (this._$Cv = e, this._$AP?.(e));
	}
}, L = class {
	get tagName() {
		return this.element.tagName;
	}
	get _$AU() {
		return this._$AM._$AU;
	}
	constructor(e, t, n, r, i) {
		this.type = 1, this._$AH = M, this._$AN = void 0, this.element = e, this.name = t, this._$AM = r, this.options = i, n.length > 2 || n[0] !== "" || n[1] !== "" ? (this._$AH = Array(n.length - 1).fill(/* @__PURE__ */ new String()), this.strings = n) : this._$AH = M;
	}
	_$AI(e, t = this, n, r) {
		let i = this.strings, a = !1;
		if (i === void 0) e = F(this, e, t, 0), a = !C(e) || e !== this._$AH && e !== j, a && (this._$AH = e);
		else {
			let r = e, o, s;
			for (e = i[0], o = 0; o < i.length - 1; o++) s = F(this, r[n + o], t, o), s === j && (s = this._$AH[o]), a ||= !C(s) || s !== this._$AH[o], s === M ? e = M : e !== M && (e += (s ?? "") + i[o + 1]), this._$AH[o] = s;
		}
		a && !r && this.j(e);
	}
	j(e) {
		e === M ? this.element.removeAttribute(this.name) : this.element.setAttribute(this.name, e ?? "");
	}
}, ye = class extends L {
	constructor() {
		super(...arguments), this.type = 3;
	}
	j(e) {
		this.element[this.name] = e === M ? void 0 : e;
	}
}, be = class extends L {
	constructor() {
		super(...arguments), this.type = 4;
	}
	j(e) {
		this.element.toggleAttribute(this.name, !!e && e !== M);
	}
}, xe = class extends L {
	constructor(e, t, n, r, i) {
		super(e, t, n, r, i), this.type = 5;
	}
	_$AI(e, t = this) {
		if ((e = F(this, e, t, 0) ?? M) === j) return;
		let n = this._$AH, r = e === M && n !== M || e.capture !== n.capture || e.once !== n.once || e.passive !== n.passive, i = e !== M && (n === M || r);
		r && this.element.removeEventListener(this.name, this, n), i && this.element.addEventListener(this.name, this, e), this._$AH = e;
	}
	handleEvent(e) {
		typeof this._$AH == "function" ? this._$AH.call(this.options?.host ?? this.element, e) : this._$AH.handleEvent(e);
	}
}, Se = class {
	constructor(e, t, n) {
		this.element = e, this.type = 6, this._$AN = void 0, this._$AM = t, this.options = n;
	}
	get _$AU() {
		return this._$AM._$AU;
	}
	_$AI(e) {
		F(this, e);
	}
}, Ce = g.litHtmlPolyfillSupport;
Ce?.(P, I), (g.litHtmlVersions ??= []).push("3.3.3");
var we = (e, t, n) => {
	let r = n?.renderBefore ?? t, i = r._$litPart$;
	if (i === void 0) {
		let e = n?.renderBefore ?? null;
		r._$litPart$ = i = new I(t.insertBefore(S(), e), e, void 0, n ?? {});
	}
	return i._$AI(e), i;
}, R = globalThis, z = class extends h {
	constructor() {
		super(...arguments), this.renderOptions = { host: this }, this._$Do = void 0;
	}
	createRenderRoot() {
		let e = super.createRenderRoot();
		return this.renderOptions.renderBefore ??= e.firstChild, e;
	}
	update(e) {
		let t = this.render();
		this.hasUpdated || (this.renderOptions.isConnected = this.isConnected), super.update(e), this._$Do = we(t, this.renderRoot, this.renderOptions);
	}
	connectedCallback() {
		super.connectedCallback(), this._$Do?.setConnected(!0);
	}
	disconnectedCallback() {
		super.disconnectedCallback(), this._$Do?.setConnected(!1);
	}
	render() {
		return j;
	}
};
z._$litElement$ = !0, z.finalized = !0, R.litElementHydrateSupport?.({ LitElement: z });
var Te = R.litElementPolyfillSupport;
Te?.({ LitElement: z }), (R.litElementVersions ??= []).push("4.2.2");
// src/styles.ts
var B = o`
  :host {
    display: block;
    color: var(--primary-text-color);
  }
  h2,
  h3 {
    margin: 0;
    font-weight: 500;
  }
  h3 {
    font-size: 0.95rem;
    margin-bottom: 6px;
  }
  p {
    margin: 4px 0;
  }
  .quiet {
    color: var(--secondary-text-color);
    font-size: 0.875rem;
  }
  button {
    min-height: 40px;
    padding: 6px 14px;
    border: 1px solid var(--primary-text-color);
    border-radius: 20px;
    background: transparent;
    color: var(--primary-text-color);
    font: inherit;
    font-size: 0.875rem;
    cursor: pointer;
  }
  button:hover {
    background: color-mix(in srgb, currentColor 12%, transparent);
  }
  button:focus-visible,
  a:focus-visible {
    outline: 3px solid var(--primary-text-color);
    outline-offset: 2px;
  }
  button[disabled] {
    opacity: 0.5;
    cursor: default;
  }
  .hidden {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
`, Ee = {
	card_name: "EchoNet: what do you hear",
	card_description: "What a satellite hears now, its last sounds, and an alert that nobody overlooks.",
	listening: "Listening",
	not_listening: "Not listening: switched off",
	not_connected: "Not connected",
	lost: "No connection to Home Assistant",
	starting: "Waiting for the satellite",
	no_satellite: "No satellite has been set up yet. Add one under Settings > Devices & services > EchoNet.",
	unknown_satellite: "This satellite is not there any more. Choose another one in the settings of this card.",
	loudness: "Loudness",
	sounds_like: "What it sounds like",
	older_satellite: "This satellite shows only how loud it is. Update it to see more.",
	bar: "{name}: {percent} %",
	bar_heard: "{name}: {percent} %, heard",
	mark: "The mark is where a sound is told, at the sensitivity that is set.",
	spectrogram: "Spectrogram",
	spectrogram_label: "Picture of the sound of the last half minute: high tones above, deep ones below, the present at the right.",
	high: "high",
	deep: "deep",
	now: "now",
	seconds_ago: "{count} s ago",
	last_sounds: "Last sounds",
	nothing_heard: "Nothing has been heard yet.",
	sure: "{percent} %",
	goes_on: "now",
	test: "Test",
	late: "told late",
	false_alarm: "False alarm",
	false_alarm_of: "False alarm: {name}, {time}",
	was_false_alarm: "was a false alarm",
	acknowledge: "Acknowledge",
	hide: "Hide",
	heard_at: "Heard at {time}, {percent} % sure.",
	over: "It is no longer heard.",
	answered: "Acknowledged.",
	answered_by: "Acknowledged by {name}.",
	test_title: "Test: {title}",
	test_message: "This is only a test. Nothing was heard.",
	failed: "That did not work: {reason}",
	back: "Back",
	panel_title: "What do you hear",
	editor_device_id: "Satellite",
	editor_title: "Title",
	editor_title_help: "The name of the satellite where this is empty",
	editor_spectrogram: "Show the spectrogram",
	editor_full_screen_alert: "Alert on the whole screen",
	editor_full_screen_alert_help: "Flashes over everything else, about once a second, until somebody answers",
	editor_sounds: "How many of the last sounds"
}, De = {
	en: Ee,
	de: {
		card_name: "EchoNet: Was hörst du?",
		card_description: "Was ein Satellit gerade hört, seine letzten Geräusche, und ein Alarm, den niemand übersieht.",
		listening: "Hört zu",
		not_listening: "Hört nicht zu: ausgeschaltet",
		not_connected: "Nicht verbunden",
		lost: "Keine Verbindung zu Home Assistant",
		starting: "Wartet auf den Satelliten",
		no_satellite: "Noch ist kein Satellit eingerichtet: Einstellungen > Geräte & Dienste > EchoNet.",
		unknown_satellite: "Diesen Satelliten gibt es nicht mehr. Wähle in den Einstellungen dieser Karte einen anderen.",
		loudness: "Lautstärke",
		sounds_like: "Wonach es klingt",
		older_satellite: "Dieser Satellit zeigt nur, wie laut es ist. Aktualisiere ihn, um mehr zu sehen.",
		bar: "{name}: {percent} %",
		bar_heard: "{name}: {percent} %, gehört",
		mark: "Der Strich zeigt, ab wann ein Geräusch bei der eingestellten Empfindlichkeit gemeldet wird.",
		spectrogram: "Spektrogramm",
		spectrogram_label: "Bild des Klangs der letzten halben Minute: oben hohe Töne, unten tiefe, rechts die Gegenwart.",
		high: "hoch",
		deep: "tief",
		now: "jetzt",
		seconds_ago: "vor {count} s",
		last_sounds: "Letzte Geräusche",
		nothing_heard: "Noch wurde nichts gehört.",
		sure: "{percent} %",
		goes_on: "jetzt",
		test: "Test",
		late: "verspätet gemeldet",
		false_alarm: "Fehlalarm",
		false_alarm_of: "Fehlalarm: {name}, {time}",
		was_false_alarm: "war ein Fehlalarm",
		acknowledge: "Bestätigen",
		hide: "Ausblenden",
		heard_at: "Gehört um {time}, zu {percent} % sicher.",
		over: "Es ist nicht mehr zu hören.",
		answered: "Bestätigt.",
		answered_by: "Bestätigt von {name}.",
		test_title: "Test: {title}",
		test_message: "Das ist nur ein Test. Es wurde nichts gehört.",
		failed: "Das hat nicht geklappt: {reason}",
		back: "Zurück",
		panel_title: "Was hörst du?",
		editor_device_id: "Satellit",
		editor_title: "Titel",
		editor_title_help: "Der Name des Satelliten, wenn hier nichts steht",
		editor_spectrogram: "Spektrogramm zeigen",
		editor_full_screen_alert: "Alarm auf dem ganzen Bildschirm",
		editor_full_screen_alert_help: "Blinkt über allem anderen, etwa einmal in der Sekunde, bis jemand antwortet",
		editor_sounds: "Wie viele der letzten Geräusche"
	},
	fr: {
		card_name: "EchoNet : qu’entends-tu ?",
		card_description: "Ce qu’un satellite entend, ses derniers sons, et une alerte que personne ne peut manquer.",
		listening: "À l’écoute",
		not_listening: "N’écoute pas : désactivé",
		not_connected: "Non connecté",
		lost: "Pas de connexion à Home Assistant",
		starting: "En attente du satellite",
		no_satellite: "Aucun satellite n’est encore configuré : Paramètres > Appareils et services > EchoNet.",
		unknown_satellite: "Ce satellite n’existe plus. Choisissez-en un autre dans les réglages de cette carte.",
		loudness: "Volume",
		sounds_like: "À quoi cela ressemble",
		older_satellite: "Ce satellite n’indique que le volume. Mettez-le à jour pour en voir davantage.",
		bar: "{name} : {percent} %",
		bar_heard: "{name} : {percent} %, entendu",
		mark: "Le repère montre à partir d’où un son est signalé, avec la sensibilité choisie.",
		spectrogram: "Spectrogramme",
		spectrogram_label: "Image du son de la dernière demi-minute : aigus en haut, graves en bas, le présent à droite.",
		high: "aigu",
		deep: "grave",
		now: "maintenant",
		seconds_ago: "il y a {count} s",
		last_sounds: "Derniers sons",
		nothing_heard: "Rien n’a encore été entendu.",
		sure: "{percent} %",
		goes_on: "en cours",
		test: "Test",
		late: "signalé en retard",
		false_alarm: "Fausse alerte",
		false_alarm_of: "Fausse alerte : {name}, {time}",
		was_false_alarm: "était une fausse alerte",
		acknowledge: "Confirmer",
		hide: "Masquer",
		heard_at: "Entendu à {time}, sûr à {percent} %.",
		over: "On ne l’entend plus.",
		answered: "Confirmé.",
		answered_by: "Confirmé par {name}.",
		test_title: "Test : {title}",
		test_message: "Ce n’est qu’un test. Rien n’a été entendu.",
		failed: "Cela n’a pas fonctionné : {reason}",
		back: "Retour",
		panel_title: "Qu’entends-tu ?",
		editor_device_id: "Satellite",
		editor_title: "Titre",
		editor_title_help: "Le nom du satellite si ce champ est vide",
		editor_spectrogram: "Afficher le spectrogramme",
		editor_full_screen_alert: "Alerte sur tout l’écran",
		editor_full_screen_alert_help: "Clignote par-dessus tout le reste, environ une fois par seconde, jusqu’à une réponse",
		editor_sounds: "Nombre de derniers sons"
	},
	es: {
		card_name: "EchoNet: ¿qué oyes?",
		card_description: "Lo que oye un satélite, sus últimos sonidos y una alerta que nadie pasa por alto.",
		listening: "Escuchando",
		not_listening: "No escucha: apagado",
		not_connected: "Sin conexión",
		lost: "Sin conexión con Home Assistant",
		starting: "Esperando al satélite",
		no_satellite: "Aún no hay ningún satélite configurado: Ajustes > Dispositivos y servicios > EchoNet.",
		unknown_satellite: "Este satélite ya no existe. Elige otro en los ajustes de esta tarjeta.",
		loudness: "Volumen",
		sounds_like: "A qué suena",
		older_satellite: "Este satélite solo muestra el volumen. Actualízalo para ver más.",
		bar: "{name}: {percent} %",
		bar_heard: "{name}: {percent} %, oído",
		mark: "La marca indica desde dónde se avisa de un sonido con la sensibilidad elegida.",
		spectrogram: "Espectrograma",
		spectrogram_label: "Imagen del sonido del último medio minuto: arriba los agudos, abajo los graves, a la derecha el presente.",
		high: "agudo",
		deep: "grave",
		now: "ahora",
		seconds_ago: "hace {count} s",
		last_sounds: "Últimos sonidos",
		nothing_heard: "Todavía no se ha oído nada.",
		sure: "{percent} %",
		goes_on: "ahora",
		test: "Prueba",
		late: "avisado tarde",
		false_alarm: "Falsa alarma",
		false_alarm_of: "Falsa alarma: {name}, {time}",
		was_false_alarm: "fue una falsa alarma",
		acknowledge: "Confirmar",
		hide: "Ocultar",
		heard_at: "Oído a las {time}, con un {percent} % de seguridad.",
		over: "Ya no se oye.",
		answered: "Confirmado.",
		answered_by: "Confirmado por {name}.",
		test_title: "Prueba: {title}",
		test_message: "Esto es solo una prueba. No se ha oído nada.",
		failed: "No ha funcionado: {reason}",
		back: "Atrás",
		panel_title: "¿Qué oyes?",
		editor_device_id: "Satélite",
		editor_title: "Título",
		editor_title_help: "El nombre del satélite si se deja vacío",
		editor_spectrogram: "Mostrar el espectrograma",
		editor_full_screen_alert: "Alerta en toda la pantalla",
		editor_full_screen_alert_help: "Parpadea por encima de todo, más o menos una vez por segundo, hasta que alguien responda",
		editor_sounds: "Cuántos de los últimos sonidos"
	}
};
function V(e) {
	return De[(e ?? "").split("-")[0]?.toLowerCase() ?? ""] ?? Ee;
}
function H() {
	return V(document.documentElement.lang || navigator.language);
}
function U(e, t) {
	return e.replace(/\{(\w+)\}/g, (e, n) => String(t[n] ?? e));
}
// src/times.ts
function Oe(e, t, n = /* @__PURE__ */ new Date()) {
	let r = new Date(t), i = e.locale.time_zone === "server" ? e.config.time_zone : void 0, a = {
		12: !0,
		24: !1
	}[e.locale.time_format ?? ""], o = {
		hour: "numeric",
		minute: "2-digit",
		...i === void 0 ? {} : { timeZone: i },
		...a === void 0 ? {} : { hour12: a }
	}, s = (e) => e.toLocaleDateString("en", i === void 0 ? {} : { timeZone: i });
	return s(r) === s(n) ? o.second = "2-digit" : Object.assign(o, {
		day: "numeric",
		month: "short"
	}), new Intl.DateTimeFormat(e.locale.language, o).format(r);
}
function W(e) {
	return Math.min(99, G(e));
}
function G(e) {
	return Math.round(100 * e);
}
// src/bars.ts
var K = -80, ke = .75, Ae = class extends z {
	static properties = {
		view: { attribute: !1 },
		level: { attribute: !1 },
		texts: { attribute: !1 }
	};
	#e = {};
	willUpdate(e) {
		if (!e.has("level")) return;
		let t = this.level?.probabilities ?? {}, n = {};
		for (let [e, r] of Object.entries(t)) n[e] = Math.max(r, ke * (this.#e[e] ?? 0));
		this.#e = n;
	}
	render() {
		let e = this.view.classes, t = this.level !== void 0 && Object.keys(this.level.probabilities).length === 0;
		return A`
      ${this.#t()}
      <h3>${this.texts.sounds_like}</h3>
      ${t ? A`<p class="quiet">${this.texts.older_satellite}</p>` : A`<div class="bars">${e.map((e) => this.#n(e))}</div>
              <p class="quiet">${this.texts.mark}</p>`}
    `;
	}
	#t() {
		let e = (e) => Math.min(1, Math.max(0, 1 - e / K)), t = this.level?.rms ?? K, n = this.level?.peak ?? K;
		return A`
      <h3 id="loudness">${this.texts.loudness}</h3>
      <div
        class="track loudness"
        role="meter"
        aria-labelledby="loudness"
        aria-valuemin=${K}
        aria-valuemax="0"
        aria-valuenow=${Math.round(Math.min(0, Math.max(K, t)))}
        aria-valuetext="${Math.round(t)} dB"
      >
        <div class="fill" style="transform: scaleX(${e(t).toFixed(3)})"></div>
        <div class="mark" style="inset-inline-start: ${(100 * e(n)).toFixed(1)}%"></div>
      </div>
    `;
	}
	#n(e) {
		let t = this.#e[e] ?? 0, n = this.view.active.includes(e), r = this.level?.thresholds[e], i = this.view.names[e] ?? e, a = U(n ? this.texts.bar_heard : this.texts.bar, {
			name: i,
			percent: G(t)
		});
		return A`
      <div class="row ${n ? "heard" : ""}" data-class=${e}>
        <span class="name" aria-hidden="true">${i}</span>
        <div
          class="track"
          role="meter"
          aria-label=${i}
          aria-valuemin="0"
          aria-valuemax="100"
          aria-valuenow=${G(t)}
          aria-valuetext=${a}
        >
          <div class="fill" style="transform: scaleX(${t.toFixed(3)})"></div>
          ${r === void 0 ? M : A`<div class="mark" style="inset-inline-start: ${(100 * r).toFixed(1)}%"></div>`}
        </div>
        <span class="share" aria-hidden="true">${G(t)} %</span>
      </div>
    `;
	}
	static styles = [B, o`
      .track {
        position: relative;
        height: 12px;
        border-radius: 6px;
        overflow: hidden;
        background: color-mix(in srgb, var(--primary-text-color) 14%, transparent);
      }
      .loudness {
        height: 16px;
        border-radius: 8px;
        margin-bottom: 14px;
      }
      .fill {
        height: 100%;
        border-radius: inherit;
        transform-origin: left;
        background: var(--primary-color);
        transition: transform 0.15s linear;
      }
      .fill:dir(rtl) {
        transform-origin: right;
      }
      .mark {
        position: absolute;
        top: 0;
        bottom: 0;
        width: 2px;
        margin-inline-start: -1px;
        background: var(--primary-text-color);
      }
      .bars {
        display: grid;
        gap: 6px;
      }
      .row {
        display: grid;
        grid-template-columns: minmax(7em, 11em) 1fr 3.2em;
        align-items: center;
        gap: 8px;
        font-size: 0.875rem;
      }
      .share {
        text-align: end;
        font-variant-numeric: tabular-nums;
      }
      .heard {
        font-weight: 700;
      }
      .heard .fill {
        background: var(--error-color);
      }
      .heard .name::before {
        content: "\\25cf\\00a0";
      }
      @media (prefers-reduced-motion: reduce) {
        .fill {
          transition: none;
        }
      }
    `];
}, je = 5e3, Me = class {
	#e;
	#t;
	#n;
	#r = !1;
	#i = 0;
	#a;
	#o;
	#s = () => this.#n({ lost: !0 });
	#c = () => {
		this.#u(), document.hidden || this.#l();
	};
	constructor(e, t, n) {
		this.#e = e, this.#t = t, this.#n = n;
	}
	open() {
		document.addEventListener("visibilitychange", this.#c), this.#e.connection.addEventListener("ready", this.#c), this.#e.connection.addEventListener("disconnected", this.#s), this.#r = !0, this.#c();
	}
	close() {
		document.removeEventListener("visibilitychange", this.#c), this.#e.connection.removeEventListener("ready", this.#c), this.#e.connection.removeEventListener("disconnected", this.#s), this.#r = !1, this.#u();
	}
	async #l() {
		let e = ++this.#i, t = () => this.#r && e === this.#i;
		try {
			let e = await this.#e.connection.subscribeMessage((e) => {
				t() && this.#n(e);
			}, {
				type: "echonet/watch",
				device_id: this.#t,
				language: this.#e.locale.language
			}, { resubscribe: !1 });
			t() ? this.#a = e : await e().catch(() => void 0);
		} catch {
			if (!t()) return;
			this.#n({ view: null }), this.#o = setTimeout(this.#c, je);
		}
	}
	#u() {
		this.#i++, clearTimeout(this.#o), this.#a?.().catch(() => void 0), this.#a = void 0;
	}
};
// src/form.ts
function Ne() {
	return {
		schema: [
			{
				name: "device_id",
				selector: { device: {
					filter: [{ integration: "echonet" }],
					entity: [{ domain: "switch" }]
				} }
			},
			{
				name: "title",
				selector: { text: {} }
			},
			{
				name: "sounds",
				default: 5,
				selector: { number: {
					min: 0,
					max: 20,
					mode: "box"
				} }
			},
			{
				name: "spectrogram",
				default: !0,
				selector: { boolean: {} }
			},
			{
				name: "full_screen_alert",
				default: !0,
				selector: { boolean: {} }
			}
		],
		computeLabel: (e) => H()[`editor_${e.name}`] ?? e.name,
		computeHelper: (e) => H()[`editor_${e.name}_help`]
	};
}
// src/overlay.ts
var q = /* @__PURE__ */ new Map(), J = /* @__PURE__ */ new Set(), Y, X = (e) => `${e.incident} ${e.kind} ${e.onset}`;
function Z(e, t) {
	t === void 0 ? q.delete(e) : q.set(e, t);
	let n = [...q.values()].find((e) => !J.has(X(e.alert)));
	n !== void 0 && Y === void 0 && (Y = document.createElement("echonet-overlay"), document.body.append(Y)), Y !== void 0 && (n === void 0 ? (Y.remove(), Y = void 0) : Y.claim = n);
}
var Pe = class extends z {
	static properties = { claim: { attribute: !1 } };
	render() {
		let { alert: e, texts: t, hass: n } = this.claim, r = e.incident === null, i = r ? t.test_message : U(t.heard_at, {
			time: Oe(n, e.onset),
			percent: W(e.confidence)
		});
		return A`
      <dialog role="alertdialog" aria-labelledby="title" aria-describedby="message" @cancel=${this.#e}>
        <div class="panel">
          <div class="sign" aria-hidden="true">!</div>
          <h2 id="title">${r ? U(t.test_title, { title: e.title }) : e.title}</h2>
          <p id="message">${i}${e.going_on || r ? M : A` ${t.over}`}</p>
          <div class="buttons">
            ${r ? M : A`<button class="first" autofocus @click=${() => this.claim.answer(!1)}>
                      ${t.acknowledge}
                    </button>
                    <button @click=${() => this.claim.answer(!0)}>${t.false_alarm}</button>`}
            <button @click=${this.#e}>${t.hide}</button>
          </div>
        </div>
      </dialog>
    `;
	}
	firstUpdated() {
		this.renderRoot.querySelector("dialog")?.showModal();
	}
	#e = () => {
		J.add(X(this.claim.alert));
		for (let [e, t] of q) J.has(X(t.alert)) && q.delete(e);
		Z(this, void 0);
	};
	static styles = [B, o`
      dialog {
        box-sizing: border-box;
        width: 100vw;
        height: 100dvh;
        max-width: none;
        max-height: none;
        margin: 0;
        padding: 6vmin;
        border: none;
        background: #d00000;
        /* Less than three flashes a second: nobody's brain is hurt, and nobody's eye misses it. */
        animation: flash 1s steps(1) infinite;
      }
      dialog[open] {
        display: grid;
        align-items: center;
      }
      @keyframes flash {
        50% {
          background: #ffd600;
        }
      }
      .panel {
        display: flex;
        flex-direction: column;
        align-items: center;
        justify-content: center;
        gap: 3vmin;
        max-height: 100%;
        box-sizing: border-box;
        padding: 6vmin 4vmin;
        overflow: auto;
        border-radius: 24px;
        background: #000;
        color: #fff;
        text-align: center;
      }
      .sign {
        flex: none;
        width: 18vmin;
        height: 18vmin;
        border-radius: 50%;
        background: #ffd600;
        color: #000;
        font-size: 14vmin;
        line-height: 18vmin;
        font-weight: 900;
      }
      h2,
      p {
        max-width: 100%;
        overflow-wrap: anywhere;
      }
      h2 {
        font-size: clamp(1.8rem, 8vmin, 5rem);
        line-height: 1.1;
        font-weight: 700;
      }
      p {
        font-size: clamp(1rem, 3.4vmin, 2rem);
      }
      .buttons {
        display: flex;
        flex-wrap: wrap;
        justify-content: center;
        gap: 12px;
      }
      button {
        min-height: 56px;
        padding: 8px 28px;
        border: 2px solid #fff;
        border-radius: 28px;
        color: #fff;
        font-size: 1.15rem;
      }
      .first {
        background: #fff;
        color: #000;
        font-weight: 700;
      }
      .first:hover {
        background: #ffd600;
      }
      button:focus-visible {
        outline-color: #ffd600;
      }
      @media (prefers-reduced-motion: reduce) {
        dialog {
          animation: none;
        }
      }
    `];
}, Fe = "echonet";
function Ie(e, t) {
	return Object.values(e.entities).some((e) => e.device_id === t && e.platform === Fe && e.translation_key === "listening");
}
function Q(e) {
	let t = (t) => e.devices[t]?.name_by_user ?? e.devices[t]?.name ?? "";
	return Object.keys(e.devices).filter((t) => Ie(e, t)).sort((e, n) => t(e).localeCompare(t(n)));
}
function Le(e, t) {
	return Object.values(e.devices).find((e) => e.identifiers.some(([e, n]) => e === Fe && n === t))?.id;
}
function Re(e, t) {
	let n = e.entities[t]?.device_id;
	return n !== void 0 && Ie(e, n) ? n : void 0;
}
// src/card.ts
var ze = 5, Be = 1e4, Ve = ["critical", "high"], He = class extends z {
	static properties = {
		hass: { attribute: !1 },
		_config: { state: !0 },
		_view: { state: !0 },
		_level: { state: !0 },
		_test: { state: !0 },
		_lost: { state: !0 },
		_said: { state: !0 },
		_failed: { state: !0 }
	};
	#e;
	#t;
	#n = /* @__PURE__ */ new Set();
	#r = /* @__PURE__ */ new Set();
	constructor() {
		super(), this._lost = !1, this._said = "", this._failed = "";
	}
	static getConfigForm() {
		return Ne();
	}
	static getStubConfig(e) {
		let t = Q(e)[0];
		return t === void 0 ? {} : { device_id: t };
	}
	setConfig(e) {
		this._config = e;
	}
	getCardSize() {
		return 10;
	}
	getGridOptions() {
		return {
			columns: 12,
			min_columns: 6,
			rows: "auto"
		};
	}
	connectedCallback() {
		super.connectedCallback(), this.requestUpdate();
	}
	disconnectedCallback() {
		super.disconnectedCallback(), this.#s(), Z(this, void 0);
	}
	get #i() {
		return V(this.hass?.locale.language);
	}
	get #a() {
		if (this.hass !== void 0 && this._config !== void 0) return this._config.device_id ?? Q(this.hass)[0];
	}
	updated(e) {
		if (!this.isConnected) return;
		let { hass: t } = this, n = this.#a, r = n !== void 0 && t?.devices[n] !== void 0 ? n : void 0;
		t !== void 0 && r !== this.#t && this.#o(t, r), (e.has("_view") || e.has("_test") || e.has("_config")) && this.#u();
	}
	#o(e, t) {
		this.#s(), this.#t = t, this._view = void 0, this._level = void 0, this._lost = !1, t !== void 0 && (this.#e = new Me(e, t, (e) => this.#c(e)), this.#e.open());
	}
	#s() {
		this.#e?.close(), this.#e = void 0, this.#t = void 0;
	}
	#c(e) {
		this._lost = "lost" in e, "lost" in e ? this._level = void 0 : "level" in e ? this._level = e.level : (this._view = e.view, e.view?.connected && e.view.listening || (this._level = void 0), e.view !== null && this.#l(e.view));
	}
	#l(e) {
		for (let t of e.sounds.filter((e) => e.going_on)) {
			let n = e.names[t.kind] ?? t.kind, r = `${t.id} ${t.kind}`;
			if (!this.#r.has(r)) {
				this.#r.add(r);
				let e = t.test ? U(this.#i.test_title, { title: n }) : n;
				this._said = `${e}, ${U(this.#i.sure, { percent: W(t.confidence) })}`;
			}
			t.test && !this.#n.has(t.id) && (this.#n.add(t.id), this._test = t, setTimeout(() => {
				this._test?.id === t.id && (this._test = void 0);
			}, Be));
		}
	}
	#u() {
		let { hass: e, _view: t, _test: n } = this, r = t?.alert ?? void 0, i = r !== void 0 && !r.answered && Ve.includes(r.severity) ? r : n && t ? Ue(n, t) : void 0;
		e === void 0 || i === void 0 || this._config?.full_screen_alert === !1 ? Z(this, void 0) : Z(this, {
			hass: e,
			alert: i,
			texts: this.#i,
			answer: (e) => this.#d(i, e)
		});
	}
	async #d(e, t) {
		e.incident !== null && await this.#f(t ? "label" : "acknowledge", t ? {
			incident: e.incident,
			verdict: "false_alarm"
		} : { incident: e.incident });
	}
	async #f(e, t) {
		this._failed = "";
		try {
			await this.hass?.callService("echonet", e, t);
		} catch (e) {
			let t = e instanceof Error || We(e) ? e.message : String(e);
			this._failed = U(this.#i.failed, { reason: t });
		}
	}
	render() {
		let { hass: e, _config: t } = this;
		if (e === void 0 || t === void 0) return M;
		let n = this.#a, r = this.#i;
		if (n === void 0) return A`<ha-card><p>${r.no_satellite}</p></ha-card>`;
		if (e.devices[n] === void 0) return A`<ha-card><p>${r.unknown_satellite}</p></ha-card>`;
		let i = this._view;
		return A`
      <ha-card>
        <header>
          <h2>${t.title || i?.name || e.devices[n]?.name_by_user || e.devices[n]?.name}</h2>
          ${this.#p(e, i)}
        </header>
        <div class="hidden" role="status">${this._said}</div>
        ${this._failed ? A`<p class="failed" role="alert">${this._failed}</p>` : M}
        ${i ? this.#m(e, i) : M}
      </ha-card>
    `;
	}
	#p(e, t) {
		let n = this.#i;
		return this._lost ? A`<span class="state bad">${n.lost}</span>` : t ? t.connected ? t.listening ? t.problems.length > 0 ? A`<span class="state bad">${t.problems.map((t) => e.localize(`component.echonet.entity.sensor.health.state.${t}`) || t).join(" · ")}</span>` : A`<span class="state good">${n.listening}</span>` : A`<span class="state bad">${n.not_listening}</span>` : A`<span class="state bad">${n.not_connected}</span>` : A`<span class="state">${n.starting}</span>`;
	}
	#m(e, t) {
		let n = this.#i, r = t.sounds.slice(0, Math.max(0, this._config?.sounds ?? ze)), i = this._level === void 0 || this._level.bands.length > 0;
		return A`
      ${t.alert ? this.#h(t.alert) : M}
      <div class="parts">
        <div>
          <echonet-bars .view=${t} .level=${this._level} .texts=${n}></echonet-bars>
          ${this._config?.spectrogram === !1 || !i ? M : A`<echonet-spectrogram .level=${this._level} .texts=${n}></echonet-spectrogram>`}
        </div>
        <echonet-sounds
          .hass=${e}
          .view=${t}
          .sounds=${r}
          .texts=${n}
          @echonet-false-alarm=${(e) => this.#f("label", {
			incident: e.detail,
			verdict: "false_alarm"
		})}
        ></echonet-sounds>
      </div>
    `;
	}
	#h(e) {
		let t = this.#i, n = e.by ? U(t.answered_by, { name: e.by }) : t.answered;
		return A`
      <div class="banner ${e.answered ? "" : "unanswered"}" role="alert">
        <strong>${e.title}</strong>
        ${e.answered ? A`<span>${n}</span>` : A`<span class="buttons">
                <button @click=${() => this.#d(e, !1)}>${t.acknowledge}</button>
                <button @click=${() => this.#d(e, !0)}>${t.false_alarm}</button>
              </span>`}
      </div>
    `;
	}
	static styles = [B, o`
      ha-card {
        display: block;
        container-type: inline-size;
        padding: 16px;
      }
      ha-card:not(:defined) {
        border: 1px solid var(--divider-color);
        border-radius: var(--ha-card-border-radius, 12px);
        background: var(--ha-card-background, var(--card-background-color));
      }
      header {
        display: flex;
        flex-wrap: wrap;
        align-items: baseline;
        justify-content: space-between;
        gap: 4px 12px;
        margin-bottom: 12px;
      }
      h2 {
        min-width: 0;
        font-size: 1.3rem;
        font-weight: 400;
        overflow-wrap: anywhere;
      }
      .state {
        font-size: 0.875rem;
      }
      .state::before {
        content: "\\25cb\\00a0";
      }
      .state.good::before {
        content: "\\25cf\\00a0";
        color: var(--success-color);
      }
      .state.bad {
        font-weight: 700;
      }
      .state.bad::before {
        content: "\\26a0\\00a0";
      }
      .failed {
        font-weight: 700;
      }
      .parts {
        display: grid;
        gap: 16px;
      }
      @container (min-width: 720px) {
        .parts {
          grid-template-columns: 1fr 1fr;
          gap: 32px;
        }
      }
      echonet-spectrogram {
        margin-top: 14px;
      }
      .banner {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        justify-content: space-between;
        gap: 8px;
        margin-bottom: 14px;
        padding: 12px;
        border: 2px solid var(--primary-text-color);
        border-radius: 12px;
      }
      .banner strong {
        min-width: 0;
        overflow-wrap: anywhere;
        font-size: 1.15rem;
      }
      .unanswered {
        border-color: #b00020;
        background: #b00020;
        color: #fff;
      }
      .unanswered button {
        border-color: #fff;
        color: #fff;
      }
      .unanswered button:focus-visible {
        outline-color: #fff;
      }
      .buttons {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
      }
    `];
};
function Ue(e, t) {
	return {
		incident: null,
		kind: e.kind,
		title: t.names[e.kind] ?? e.kind,
		severity: "critical",
		onset: e.onset,
		confidence: e.confidence,
		going_on: e.going_on,
		answered: !1,
		by: null
	};
}
function We(e) {
	return typeof e == "object" && !!e && typeof e.message == "string";
}
// src/panel.ts
var Ge = class extends z {
	static properties = {
		hass: { attribute: !1 },
		route: { attribute: !1 }
	};
	render() {
		let e = this.hass;
		if (e === void 0) return M;
		let t = V(e.locale.language), n = this.route?.path.split("/")[1], r = n ? Le(e, n) : void 0, i = r === void 0 ? Q(e) : [r];
		return A`
      <header>
        <button aria-label=${t.back} @click=${() => history.back()}><span aria-hidden="true">&larr;</span></button>
        <h1>${t.panel_title}</h1>
      </header>
      <main>
        ${i.length === 0 ? A`<p>${t.no_satellite}</p>` : i.map((t) => A`<echonet-card .hass=${e} ._config=${{
			type: "",
			device_id: t,
			sounds: 12
		}}></echonet-card>`)}
      </main>
    `;
	}
	static styles = [B, o`
      :host {
        display: block;
        min-height: 100%;
        background: var(--primary-background-color);
      }
      header {
        display: flex;
        align-items: center;
        gap: 8px;
        height: var(--header-height, 56px);
        padding: 0 8px;
        background: var(--app-header-background-color, var(--primary-color));
        color: var(--app-header-text-color, #fff);
      }
      header button {
        width: 44px;
        height: 44px;
        padding: 0;
        border: none;
        color: inherit;
        font-size: 1.4rem;
      }
      header button:focus-visible {
        outline-color: currentColor;
      }
      header span {
        display: inline-block;
      }
      header span:dir(rtl) {
        transform: scaleX(-1);
      }
      h1 {
        margin: 0;
        font-size: 1.25rem;
        font-weight: 400;
      }
      main {
        display: grid;
        gap: 16px;
        max-width: 1100px;
        margin: 0 auto;
        padding: 16px;
      }
      @media (max-width: 600px) {
        main {
          padding: 8px;
        }
      }
    `];
}, Ke = class extends z {
	static properties = {
		hass: { attribute: !1 },
		view: { attribute: !1 },
		sounds: { attribute: !1 },
		texts: { attribute: !1 }
	};
	render() {
		return A`
      <h3 id="title">${this.texts.last_sounds}</h3>
      ${this.sounds.length === 0 ? A`<p class="quiet">${this.texts.nothing_heard}</p>` : A`<ul aria-labelledby="title">
              ${this.sounds.map((e) => this.#e(e))}
            </ul>`}
    `;
	}
	#e(e) {
		let t = this.view.names[e.kind] ?? e.kind, n = Oe(this.hass, e.onset), r = [
			e.room ?? "",
			U(this.texts.sure, { percent: W(e.confidence) }),
			e.going_on ? this.texts.goes_on : "",
			e.test ? this.texts.test : "",
			e.late ? this.texts.late : "",
			e.false_alarm ? this.texts.was_false_alarm : ""
		].filter(Boolean);
		return A`
      <li class=${e.going_on ? "going-on" : ""}>
        <time datetime=${e.onset}>${n}</time>
        <span class="what"><span class="name">${t}</span> <span class="quiet">${r.join(" · ")}</span></span>
        ${e.incident === null || e.false_alarm ? M : A`<button
                aria-label=${U(this.texts.false_alarm_of, {
			name: t,
			time: n
		})}
                @click=${() => this.#t(e)}
              >
                ${this.texts.false_alarm}
              </button>`}
      </li>
    `;
	}
	#t(e) {
		this.dispatchEvent(new CustomEvent("echonet-false-alarm", {
			detail: e.incident,
			bubbles: !0,
			composed: !0
		}));
	}
	static styles = [B, o`
      ul {
        list-style: none;
        margin: 0;
        padding: 0;
      }
      li {
        display: flex;
        align-items: center;
        gap: 10px;
        min-height: 44px;
        border-top: 1px solid var(--divider-color);
      }
      li:first-child {
        border-top: none;
      }
      time {
        flex: none;
        min-width: 5.2em;
        font-variant-numeric: tabular-nums;
      }
      .what {
        flex: 1;
        min-width: 0;
        overflow-wrap: anywhere;
      }
      .going-on .name {
        font-weight: 700;
      }
    `];
}, qe = 188, Je = 30, Ye = -100, $ = [
	[
		4,
		4,
		24
	],
	[
		62,
		15,
		114
	],
	[
		150,
		42,
		120
	],
	[
		230,
		92,
		76
	],
	[
		252,
		170,
		90
	],
	[
		252,
		250,
		190
	]
];
function Xe(e) {
	let t = Math.min(1, Math.max(0, (e - Ye) / 80)) * ($.length - 1), n = Math.min($.length - 2, Math.floor(t)), r = t - n, [i, a] = [$[n] ?? $[0], $[n + 1] ?? $[0]], o = (e) => Math.round(i[e] + r * (a[e] - i[e]));
	return [
		o(0),
		o(1),
		o(2)
	];
}
// src/index.ts
var Ze = {
	"echonet-bars": Ae,
	"echonet-spectrogram": class extends z {
		static properties = {
			level: { attribute: !1 },
			texts: { attribute: !1 }
		};
		render() {
			return A`
      <h3>${this.texts.spectrogram}</h3>
      <div class="picture">
        <canvas width=${qe} height="1" role="img" aria-label=${this.texts.spectrogram_label}></canvas>
        <span class="high" aria-hidden="true">${this.texts.high}</span>
        <span class="deep" aria-hidden="true">${this.texts.deep}</span>
      </div>
      <div class="axis quiet" aria-hidden="true">
        <span>${U(this.texts.seconds_ago, { count: Je })}</span><span>${this.texts.now}</span>
      </div>
    `;
		}
		updated(e) {
			let t = this.level?.bands ?? [];
			if (!e.has("level") || t.length === 0) return;
			let n = this.renderRoot.querySelector("canvas"), r = n?.getContext("2d", { willReadFrequently: !0 });
			n && r && (n.height !== t.length && (n.height = t.length, r.fillStyle = `rgb(${$[0].join(" ")})`, r.fillRect(0, 0, n.width, n.height)), r.drawImage(n, 1, 0, n.width - 1, n.height, 0, 0, n.width - 1, n.height), t.forEach((e, t) => {
				r.fillStyle = `rgb(${Xe(e).join(" ")})`, r.fillRect(n.width - 1, n.height - 1 - t, 1, 1);
			}));
		}
		static styles = [B, o`
      /* The present is at the right, whichever way the reader reads. */
      .picture,
      .axis {
        direction: ltr;
      }
      .picture {
        position: relative;
      }
      canvas {
        display: block;
        width: 100%;
        height: 120px;
        border-radius: 8px;
        background: rgb(4 4 24);
        image-rendering: pixelated;
      }
      .picture span {
        position: absolute;
        left: 6px;
        padding: 0 4px;
        border-radius: 4px;
        background: rgb(0 0 0 / 75%);
        color: white;
        font-size: 0.75rem;
      }
      .high {
        top: 4px;
      }
      .deep {
        bottom: 4px;
      }
      .axis {
        display: flex;
        justify-content: space-between;
        font-size: 0.75rem;
      }
    `];
	},
	"echonet-sounds": Ke,
	"echonet-overlay": Pe,
	"echonet-card": He,
	"echonet-panel": Ge
};
if (customElements.get("echonet-card") === void 0) {
	for (let [e, t] of Object.entries(Ze)) customElements.define(e, t);
	window.customCards ??= [], window.customCards.push({
		type: "echonet-card",
		get name() {
			return H().card_name;
		},
		get description() {
			return H().card_description;
		},
		preview: !0,
		documentationURL: "https://github.com/echonet-home/echonet/blob/main/docs/card.md",
		getEntitySuggestion(e, t) {
			let n = Re(e, t);
			return n === void 0 ? null : { config: {
				type: "custom:echonet-card",
				device_id: n
			} };
		}
	});
}
